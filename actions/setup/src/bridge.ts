import { join } from 'node:path';

import type { Step } from '@reposure/action-shared';
import { collect, parseInput, UnreachableError } from '@reposure/core';
import { runProgram } from '@reposure/core/content';
import type { ProgramCall } from '@reposure/core/content';
import * as z from 'zod';

import type { Inputs } from './inputs.ts';
import type { Program } from './launchers.ts';

/** What `reposure bridge --background -o json` prints, as far as it is needed here. */
const Bridge = z.object({ address: z.string(), env: z.record(z.string(), z.string()) });
/** A bridge that runs: its host:port, and the variables by which tools find it and its login. */
export type Bridge = z.infer<typeof Bridge>;

/** With a thousand references of what was pushed. */
const maxPrintedBytes = 1024 * 1024;

/** Starts a bridge in a process of its own, which `post` ends. */
export async function startBridge(
  { registry, namespace, context }: Inputs,
  { node, script }: Program,
  { folder, kubeconfig, log, save, signal }: Step,
): Promise<Bridge> {
  // Before it runs: this process may be killed.
  save('bridge', script);
  const options = {
    '--namespace': namespace,
    '--kubeconfig': kubeconfig,
    '--context': context,
    '--config-dir': join(folder, 'bridge'),
  };
  const flags = Object.entries(options).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
  const words = [script, 'bridge', registry, '--background', ...flags];
  const bridge = await saidBy('start', Bridge, folder, { command: node, args: words, signal });
  log.info(`The bridge to registry "${registry}" is ${bridge.address}`);
  return bridge;
}

/** What `reposure bridge stop -o json` prints, as far as it is needed here. */
const Stopped = z.array(z.object({ pushed: z.array(z.string()) }));

/**
 * Ends the bridge of a step, if there is one, and waits until it is gone.
 *
 * @returns What was pushed through it, as nodes pull it.
 */
export async function stopBridge(script: string, folder: string): Promise<readonly string[]> {
  const words = [script, 'bridge', 'stop', '--all'];
  const run = { command: process.execPath, args: words };
  const stopped = await saidBy('stop', Stopped, folder, run);
  return stopped.flatMap(({ pushed }) => pushed);
}

/** Starts or stops a bridge. @returns What `reposure` prints of it. */
async function saidBy<T>(
  verb: 'start' | 'stop',
  schema: z.ZodType<T>,
  folder: string,
  { args, ...run }: Pick<ProgramCall, 'command' | 'args' | 'signal'>,
): Promise<T> {
  let printed = '';
  const { exitCode, stderr } = await runProgram({
    ...run,
    args: [...args, '--output', 'json'],
    // What it remembers of uploads, and of itself, whatever the steps in between set, goes with the folder.
    env: { XDG_STATE_HOME: join(folder, 'state') },
    onStdout: async (stdout) => {
      printed = (await collect(stdout, 'what the bridge says', maxPrintedBytes)).toString();
    },
  });
  if (exitCode !== 0) throw new UnreachableError(`Cannot ${verb} the bridge: ${stderr}`);
  return parseInput(schema, JSON.parse(printed), 'what the bridge says');
}
