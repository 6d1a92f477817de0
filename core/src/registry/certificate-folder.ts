import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '../errors.ts';
import { certificateBlocks } from './trust.ts';

const suffix = /\.(?:crt|cer|pem)$/;

/**
 * The CA certificates in the files `*.crt`, `*.cer` and `*.pem` of a folder.
 *
 * @returns PEM; only certificates, whatever else the files hold.
 * @throws {InputError} if there are none: nothing is trusted less instead.
 */
export async function certificatesIn(folder: string): Promise<string> {
  const fail = (state: string, cause?: unknown): never => {
    throw new InputError(
      `Cannot read CA certificates in ${folder}: ${state}; want files *.crt, *.cer or *.pem`,
      { cause },
    );
  };
  const names = await readdir(folder).catch((error: unknown) => fail('it is no folder', error));
  const found: string[] = [];
  for (const name of names.filter((each) => suffix.test(each)).toSorted()) {
    const text = await readFile(join(folder, name), 'utf8');
    found.push(...certificateBlocks(text));
  }
  return found.length > 0 ? `${found.join('\n')}\n` : fail('there is none');
}
