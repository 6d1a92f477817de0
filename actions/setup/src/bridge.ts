import { join } from 'node:path';

import type { Step } from '@reposure/action-shared';
import { collect, parseInput, UnreachableError } from '@reposure/core';
import { runProgram } from '@reposure/core/content';
import * as z from 'zod';

import type { Inputs } from './inputs.ts';
import type { Program } from './launchers.ts';

/** What `reposure bridge --background -o json` prints, as far as it is needed here. */
const Bridge = z.object({ address: z.string(), env: z.record(z.string(), z.string()) });
/** A bridge that runs: its host:port, and the variables by which tools find it and its login. */
export type Bridge = z.infer<typeof Bridge>;

/** Where a bridge of this step is remembered, whatever the steps in between set. */
function bridgeEnv(folder: string): Record<string, string> {
  return { XDG_STATE_HOME: join(folder, 'state') };
}

const maxRecordBytes = 64 * 1024;
/** With a thousand references. */
const maxStoppedBytes = 1024 * 1024;

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
  let record = '';
  const { exitCode, stderr } = await runProgram({
    command: node,
    // What it remembers of uploads, and of itself, goes with the folder.
    env: bridgeEnv(folder),
    args: [script, 'bridge', registry, '--background', '--output', 'json', ...flags],
    onStdout: async (stdout) => {
      record = (await collect(stdout, 'what the bridge says', maxRecordBytes)).toString();
    },
    signal,
  });
  if (exitCode !== 0) throw new UnreachableError(`Cannot start the bridge: ${stderr}`);
  const bridge = parseInput(Bridge, JSON.parse(record), 'what the bridge says');
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
  let stopped = '';
  const { exitCode, stderr } = await runProgram({
    command: process.execPath,
    args: [script, 'bridge', 'stop', '--all', '--output', 'json'],
    env: bridgeEnv(folder),
    onStdout: async (stdout) => {
      stopped = (await collect(stdout, 'what the bridge says', maxStoppedBytes)).toString();
    },
  });
  if (exitCode !== 0) throw new UnreachableError(`Cannot stop the bridge: ${stderr}`);
  return parseInput(Stopped, JSON.parse(stopped), 'what the bridge says').flatMap(
    ({ pushed }) => pushed,
  );
}
