import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

import { explain, InputError } from '@reposure/core';

type Options = NonNullable<ParseArgsConfig['options']>;

/** What was read of a program's arguments. */
export type Arguments<T extends Options> = ReturnType<
  typeof parseArgs<{ allowPositionals: true; options: T }>
>;

/**
 * Reads the arguments of a program.
 *
 * @throws {InputError} with the usage if there are others than `options`.
 */
export function readArguments<const T extends Options>(
  argv: readonly string[],
  options: T,
  usage: string,
): Arguments<T> {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    throw new InputError(`${explain(error)}\n\n${usage}`, { cause: error });
  }
}

/** A port to listen on; 0 for one that the system chooses. @throws {InputError} if it is none. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InputError(`Cannot listen on port "${text}": want 0 to 65535`);
  }
  return port;
}
