import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { InputError } from '@reposure/core';
import type { Command } from 'commander';

import { ExitStatusError } from '../exit-status.ts';
import { findRecords } from './records.ts';
import { withBridge } from './running.ts';
import type { BridgeFlags } from './running.ts';

/** As shells say it. */
const notFound = 127;
const notExecutable = 126;

/** `bridge exec REGISTRY -- COMMAND…` */
export async function bridgeExecAction(command: Command): Promise<void> {
  const [registryName = '', ...words] = command.args;
  const flags = command.optsWithGlobals<BridgeFlags>();
  if (words.length === 0) throw new InputError('Cannot run nothing; want -- COMMAND…');
  await withBridge(flags, registryName, {
    // Where nothing can be written down it ends with its command all the same.
    keep: async (bridge) =>
      await findRecords()
        ?.keep(bridge)
        .catch(() => undefined),
    run: async (env) => {
      const status = await statusOf(words, { ...process.env, ...env });
      if (status !== 0) throw new ExitStatusError(status);
    },
  });
}

/** Runs a command, and sends it the signals that are sent to us. @returns its exit status. */
async function statusOf(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [file = '', ...args] = words;
  const child = spawn(file, args, { stdio: 'inherit', env });
  const forward = (name: NodeJS.Signals): void => {
    // A terminal sends it to both of us.
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, forward);
  try {
    return await new Promise<number>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        process.stderr.write(`Error: Cannot run ${file}: ${error.code ?? error.message}\n`);
        resolve(error.code === 'ENOENT' ? notFound : notExecutable);
      });
      child.once('exit', (status, signal) => {
        resolve(status ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  } finally {
    for (const name of names) process.off(name, forward);
  }
}
