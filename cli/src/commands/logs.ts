import { InputError } from '@reposure/core';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

import type { Environment } from '../environment.ts';
import { writeOut } from '../standard-output.ts';

/** The options of every `logs` command. */
export interface LogFlags {
  readonly follow?: boolean;
  readonly tail?: number;
}

/** Adds what every `logs` command takes. */
export function withLogOptions(command: Command): Command {
  return command
    .option('-f, --follow', 'keep printing')
    .option('-t, --tail <lines>', 'only so many of the last lines', lines);
}

/** Prints the log of one Pod on standard output. */
export async function printLogs(
  { cluster, namespace, format, signal }: Environment,
  pod: string,
  { follow = false, tail }: LogFlags,
): Promise<void> {
  if (format !== 'text') throw new InputError(`Cannot print a log as ${format}: it is what it is`);
  const options = { follow, signal, ...(tail === undefined ? {} : { tailLines: tail }) };
  for await (const chunk of cluster.logs(pod, namespace, options)) await writeOut(chunk);
}

function lines(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Want a whole number of lines.');
  return Number(text);
}
