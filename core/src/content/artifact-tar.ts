import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { readFileFrom, readingError } from './file-bytes.ts';
import { tarEnd, tarHeaderOf, tarPaddingOf } from './tar-headers.ts';

/** What writing a tar of files takes. */
export interface TarringOptions {
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A tar of a file or a folder.
 *
 * @param name What a file is called in it.
 * @param want What a person may name instead of something else.
 * @throws {NotFoundError} if there is nothing at `path`, {@link InputError} if it is something else.
 */
export async function tarOf(
  path: string,
  name: string,
  options: TarringOptions,
  want = 'one of them',
): Promise<AsyncGenerator<Uint8Array, void>> {
  const found = await stat(path).catch((error: unknown) => {
    throw readingError(error, path);
  });
  if (found.isDirectory()) return tarOfFolder(path, options);
  if (found.isFile()) return tarOfFile(path, name, options);
  throw new InputError(`Cannot read ${path}: it is neither a file nor a folder; want ${want}`);
}

/**
 * A tar of one file: its only entry has the given name.
 *
 * Everything that differs between two machines (owner, times) is left out, so that equal files
 * make equal layers and are sent once.
 */
async function* tarOfFile(
  path: string,
  name: string,
  { signal }: TarringOptions,
): AsyncGenerator<Uint8Array, void> {
  // As found behind links: whoever names a link means the file.
  yield* fileEntry(path, name, signal);
  yield tarEnd;
}

/** A tar of what is in a folder, sorted by name; the folder itself has no entry. */
async function* tarOfFolder(
  path: string,
  options: TarringOptions,
): AsyncGenerator<Uint8Array, void> {
  yield* folderEntries(path, '', options);
  yield tarEnd;
}

async function* folderEntries(
  root: string,
  folder: string,
  options: TarringOptions,
): AsyncGenerator<Uint8Array, void> {
  options.signal?.throwIfAborted();
  const names = await readdir(join(root, folder));
  // By code units: the order of a locale is another one on the next machine.
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    yield* entry(root, folder ? `${folder}/${name}` : name, options);
  }
}

async function* entry(
  root: string,
  path: string,
  options: TarringOptions,
): AsyncGenerator<Uint8Array, void> {
  const full = join(root, path);
  const found = await lstat(full);
  if (found.isDirectory()) {
    yield tarHeaderOf({ type: 'Directory', path, mode: found.mode & 0o7777 });
    yield* folderEntries(root, path, options);
  } else if (found.isSymbolicLink()) {
    yield tarHeaderOf({ type: 'SymbolicLink', path, mode: 0o777, linkPath: await readlink(full) });
  } else if (found.isFile()) {
    yield* fileEntry(full, path, options.signal);
  } else {
    options.log.warn(`Left out ${full}: it is neither a file nor a folder nor a link`);
  }
}

async function* fileEntry(
  path: string,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const { size, mode } = await stat(path);
  yield tarHeaderOf({ type: 'File', path: name, mode: mode & 0o7777, size });
  let read = 0;
  for await (const chunk of readFileFrom(path, 0, signal)) {
    read += chunk.byteLength;
    yield chunk;
  }
  if (read !== size) {
    throw new ContentInvalidError(
      `Cannot read ${path}: it had ${size} bytes, then ${read}; want a file that nobody writes to`,
    );
  }
  yield tarPaddingOf(size);
}
