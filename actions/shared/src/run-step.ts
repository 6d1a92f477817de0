import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as runner from '@actions/core';
import { explain, InputError, parseInput } from '@reposure/core';
import { kubeconfigPaths } from '@reposure/core/kubernetes';

import type { Action, CommonInputs, Done } from './action.ts';
import { underInput } from './cluster.ts';
import { secretsOfKubeconfigs } from './credential-files.ts';
import { fail } from './fail.ts';
import { inInputWords } from './input-words.ts';
import { wordsOf } from './inputs.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { runnerLog as log } from './runner-log.ts';
import { likelySecretsIn, mask } from './secrets.ts';
import type { Step } from './step.ts';
import { failureSummary, writeSummary } from './summary.ts';

/**
 * Runs an action's `main`, and tells the runner how it went: outputs and a summary, or one error.
 *
 * What is GitHub's is in this folder and only here; the command line runs the same functions of core.
 */
export async function runStep<T extends CommonInputs>(action: Action<T>): Promise<void> {
  // Whatever goes wrong where nobody waits for it: one error too, and no stack.
  process.on('uncaughtException', (error) => fail(error));
  const signal = cancellation(action.cancelled);
  let inputs: T | undefined;
  try {
    refuseUnknown(action);
    inputs = inputsOf(action);
    const { outputs, summary } = await inFolder(action, inputs, signal);
    for (const [name, value] of Object.entries(outputs)) runner.setOutput(name, value);
    if (summary && inputs.summary) await writeSummary(summary, log);
  } catch (error) {
    const message = inInputWords(explain(error), Object.keys(action.inputs.shape));
    fail(error, message);
    if (inputs?.summary ?? true) {
      const subjects = inputs ? action.subjects(inputs) : [];
      const causes = action.causes?.(error) ?? subjects.map((subject) => [subject, message]);
      await writeSummary(failureSummary(action.title, causes, message), log);
    }
  }
}

/** A cancelled job: SIGINT, SIGTERM after 7.5 s, and the end after 2.5 s more. @param state What is true then. */
function cancellation(state: string): AbortSignal {
  const ended = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => ended.abort(new Error(`Cancelled (${name}); ${state}`)));
  }
  return ended.signal;
}

function inputsOf<T extends CommonInputs>({ name, inputs }: Action<T>): T {
  const given = Object.keys(inputs.shape)
    .map((input) => [input, runner.getInput(input)] as const)
    .filter(([, text]) => text !== '');
  // Put into the wrong input, a secret would be in the message that refuses it.
  const words = given.flatMap(([, text]) => wordsOf(text));
  for (const secret of words.flatMap(likelySecretsIn)) mask(secret);
  return parseInput<T>(inputs, Object.fromEntries(given), `the inputs of actions/${name}`);
}

/** The runner only warns of them, and a misspelt `dry-run` would push. */
function refuseUnknown<T extends CommonInputs>({ name, inputs }: Action<T>): void {
  const known = Object.keys(inputs.shape);
  const variables = new Set(known.map((input) => `INPUT_${input.toUpperCase()}`));
  const unknown = Object.keys(process.env)
    .filter((variable) => variable.startsWith('INPUT_') && !variables.has(variable.toUpperCase()))
    .map((variable) => `"${variable.slice('INPUT_'.length).toLowerCase()}"`);
  if (unknown.length === 0) return;
  throw new InputError(
    `Cannot use the input ${unknown.join(', ')}: actions/${name} has none of that name; want ${known.join(', ')}`,
  );
}

/** Everything on disk is in one folder, which `post` removes should this process be killed. */
async function inFolder<T extends CommonInputs>(
  action: Action<T>,
  inputs: T,
  signal: AbortSignal,
): Promise<Done> {
  const folder = join(process.env['RUNNER_TEMP'] || tmpdir(), `reposure-${randomUUID()}`);
  runner.saveState('folder', folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let isDone = false;
  try {
    const kubeconfig = await maskedKubeconfig(inputs.kubeconfig, folder);
    const done = await action.main(inputs, stepOf({ folder, kubeconfig, signal }));
    isDone = true;
    return done;
  } finally {
    if (!isDone || !action.keepsFolder) await rm(folder, { recursive: true, force: true });
  }
}

async function maskedKubeconfig(
  input: string | undefined,
  folder: string,
): Promise<string | undefined> {
  const kubeconfig =
    input === undefined ? process.env['KUBECONFIG'] : await kubeconfigPath(input, folder, mask);
  // Also of one that lies on the runner: what a plugin or an answer says may quote it.
  for (const secret of await secretsOfKubeconfigs(await filesOf(kubeconfig))) mask(secret);
  return kubeconfig;
}

async function filesOf(kubeconfig: string | undefined): Promise<string[]> {
  try {
    return await kubeconfigPaths(kubeconfig, process.env);
  } catch (error) {
    throw underInput(error);
  }
}

function stepOf(own: Pick<Step, 'folder' | 'kubeconfig' | 'signal'>): Step {
  return {
    ...own,
    env: process.env,
    log,
    mask,
    group: (name, work) => runner.group(name, work),
    save: (name, value) => runner.saveState(name, value),
  };
}
