import { spawn } from 'node:child_process';
import { once } from 'node:events';

import type { Arena } from './arena.ts';
import type { CommandFor, Via } from './contestants.ts';
import type { PartOf } from './part-meter.ts';

/** A bridge to the registry in the cluster. */
export interface StartedBridge extends AsyncDisposable {
  /** `localhost:PORT` */
  readonly address: string;
  /** The parts of the arena, and the bridge itself. */
  readonly partOf: PartOf;
  /** Gives crane the bridge's login. */
  readonly crane: (command: CommandFor) => CommandFor;
}

/** Starts `reposure bridge`. @throws {Error} if it ends instead. */
export async function startBridge(arena: Arena, via: Via): Promise<StartedBridge> {
  const { words, env } = arena.reposure(
    'bridge',
    arena.inside.registry,
    `--route=${via}`,
    '-o',
    'json',
  );
  const [file = '', ...args] = words;
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const running = await new Promise<{ address: string; env: Record<string, string> }>(
    (resolve, reject) => {
      let [said, errors] = ['', ''];
      child.stderr.on(
        'data',
        (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-2000)),
      );
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.endsWith('}\n')) resolve(JSON.parse(said));
      });
      void ended.then(() => reject(new Error(`reposure bridge has ended: ${errors}`)));
    },
  );
  return {
    address: running.address,
    partOf: (pid) => (pid === child.pid ? 'bridge' : arena.partOf(pid)),
    crane: (command) => (repository, folder) => ({
      ...command(repository, folder),
      env: running.env,
    }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
