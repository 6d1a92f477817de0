import { tmpdir } from 'node:os';

import * as runner from '@actions/core';
import { explain, parseInput } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { TransferResult } from '@reposure/core/transfer';

import { Inputs } from './inputs.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { outputsOf } from './outputs.ts';
import { pushStep } from './push-step.ts';
import { summaryHeadings, summaryRows } from './summary.ts';

// What is GitHub's is here and only here; the command line runs the same push.
const log: Log = {
  debug: runner.debug,
  info: runner.info,
  warn: (message) => runner.warning(message),
};
const ended = new AbortController();
// A cancelled job: SIGINT, then SIGTERM after 7.5 s.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => ended.abort(new Error(`Cancelled (${name})`)));
}

try {
  const names = Object.keys(Inputs.shape);
  const given = names.map((name) => [name, runner.getInput(name)]).filter(([, text]) => text);
  const inputs = parseInput(Inputs, Object.fromEntries(given), 'the inputs of this step');
  const kubeconfig = await kubeconfigFile(
    inputs.kubeconfig,
    process.env['RUNNER_TEMP'] ?? tmpdir(),
    runner.setSecret,
  );
  try {
    const path = kubeconfig.path ?? process.env['KUBECONFIG'];
    const results = await runner.group('Push', () =>
      pushStep(inputs, { kubeconfig: path, log, signal: ended.signal }),
    );
    for (const [name, value] of Object.entries(outputsOf(results))) runner.setOutput(name, value);
    if (inputs.summary) await summarize(results);
  } finally {
    await kubeconfig.remove();
  }
} catch (error) {
  runner.setFailed(explain(error));
}

// A runner without summaries (GHES, Gitea) still pushes.
async function summarize(results: readonly TransferResult[]): Promise<void> {
  try {
    const headings = summaryHeadings.map((data) => ({ data, header: true }));
    await runner.summary
      .addHeading('Pushed images', 3)
      .addTable([headings, ...summaryRows(results)])
      .write();
  } catch (error) {
    log.info(`No summary was written: ${explain(error)}`);
  }
}
