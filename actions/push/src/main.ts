import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as runner from '@actions/core';
import { explain, parseInput } from '@reposure/core';
import type { TransferResult } from '@reposure/core/transfer';

import { Inputs } from './inputs.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { outputsOf } from './outputs.ts';
import { pushStep } from './push-step.ts';
import { runnerLog as log } from './runner-log.ts';
import { summaryHeadings, summaryRows } from './summary.ts';

// What is GitHub's is here and only here; the command line runs the same push.
const ended = new AbortController();
// A cancelled job: SIGINT, then SIGTERM after 7.5 s.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    ended.abort(new Error(`Cancelled (${name}); nothing half-done is visible`)),
  );
}

try {
  const names = Object.keys(Inputs.shape);
  const given = names.map((name) => [name, runner.getInput(name)]).filter(([, text]) => text);
  const inputs = parseInput(Inputs, Object.fromEntries(given), 'the inputs of this step');
  const results = await inFolder((folder) => pushIn(folder, inputs));
  for (const [name, value] of Object.entries(outputsOf(results))) runner.setOutput(name, value);
  if (inputs.summary) await summarize(results);
} catch (error) {
  runner.setFailed(explain(error));
}

/** Everything on disk is in one folder, which `post.ts` removes should this process be killed. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(process.env['RUNNER_TEMP'] || tmpdir(), `reposure-${randomUUID()}`);
  runner.saveState('folder', folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pushIn(folder: string, inputs: Inputs): Promise<TransferResult[]> {
  const kubeconfig =
    inputs.kubeconfig === undefined
      ? process.env['KUBECONFIG']
      : await kubeconfigPath(inputs.kubeconfig, folder, runner.setSecret);
  const options = { kubeconfig, temporaryDirectory: folder, log, signal: ended.signal };
  return await runner.group('Push', () => pushStep(inputs, options));
}

// A runner without summaries (GHES, Gitea) still pushes.
async function summarize(results: readonly TransferResult[]): Promise<void> {
  try {
    const headings = summaryHeadings.map((data) => ({ data, header: true }));
    const isDryRun = results.some(({ dryRun }) => dryRun);
    await runner.summary
      .addHeading(isDryRun ? 'Images that would be pushed' : 'Pushed images', 3)
      .addTable([headings, ...summaryRows(results)])
      .write();
  } catch (error) {
    log.info(`No summary was written: ${explain(error)}`);
  }
}
