import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { InputError } from '@reposure/core';
import { makePassword } from '@reposure/core/install';

/** Where a password comes from. Never an argument: those are seen by everybody on the machine. */
export interface PasswordFlags {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}

/** A password, and whether the person knows it. */
export interface GivenPassword {
  readonly password: string;
  readonly isMade: boolean;
}

/** The password from standard input or a file, without the end of its line; else a new one. */
export async function passwordOf(flags: PasswordFlags): Promise<GivenPassword> {
  const { passwordStdin = false, passwordFile } = flags;
  if (passwordStdin && passwordFile !== undefined) {
    throw new InputError('Cannot use both --password-stdin and --password-file: want one of them');
  }
  if (passwordStdin) return { password: withoutLineEnd(await text(process.stdin)), isMade: false };
  if (passwordFile === undefined) return { password: makePassword(), isMade: true };
  try {
    return { password: withoutLineEnd(await readFile(passwordFile, 'utf8')), isMade: false };
  } catch (cause) {
    throw new InputError(`Cannot read the password: ${passwordFile} cannot be read`, { cause });
  }
}

function withoutLineEnd(given: string): string {
  return given.replace(/\r?\n$/, '');
}
