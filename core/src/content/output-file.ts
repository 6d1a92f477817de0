import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { InputError } from '../errors.ts';
import { writing } from './disk-full.ts';
import { codeOf, readRange } from './file-bytes.ts';
import type { TemporaryFolder } from './temporary.ts';

/** A file that is written here and there, and appears at its place only when it is whole. */
export interface OutputFile {
  readonly handle: FileHandle;
  /** Makes it appear, and ends it. @param size In bytes. */
  publish(size: number): Promise<void>;
  discard(): Promise<void>;
}

/**
 * A file that replaces what is at `path`.
 *
 * @throws {InputError} if that is a folder or a device, or cannot be written.
 */
export async function outputFile(path: string): Promise<OutputFile> {
  const target = await targetOf(path);
  // In the same folder: a rename is one step only within a file system.
  const partial = join(dirname(target), `.reposure-${randomUUID()}`);
  const handle = await open(partial, 'wx+').catch(async (error: unknown) => {
    throw await creationError(error, path);
  });
  return {
    handle,
    publish: async () => {
      await handle.close();
      await rename(partial, target);
    },
    discard: async () => {
      await handle.close().catch(() => {});
      await rm(partial, { force: true });
    },
  };
}

/** A file that goes to a stream once it is whole; the stream stays open. */
export async function outputStream(
  output: Writable,
  temporary: TemporaryFolder,
  signal?: AbortSignal,
): Promise<OutputFile> {
  const handle = await open(await temporary.next(), 'wx+', 0o600);
  return {
    handle,
    publish: async (size) => {
      const content = readRange(handle, { start: 0, end: size, signal });
      try {
        // The stream may be a file on a disk of its own.
        await writing({ path: 'standard output' }, () =>
          pipeline(content, output, { end: false, ...(signal ? { signal } : {}) }),
        );
      } finally {
        await handle.close();
      }
    },
    discard: async () => {
      await handle.close().catch(() => {});
    },
  };
}

async function targetOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return path;
  if (found.isFile()) return realpath(path);
  // Renaming over /dev/stdout would take it away from everybody.
  throw new InputError(
    `Cannot write ${path}: it is not a regular file; want a file, or - for standard output`,
  );
}

async function creationError(error: unknown, path: string): Promise<unknown> {
  const folder = dirname(path);
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      // Some folders of the system take no files, and say it this way.
      return new InputError(
        (await isFolder(folder))
          ? `Cannot write ${path}: no file can be made in ${folder}; want a file in another folder`
          : `Cannot write ${path}: there is no folder ${folder}`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new InputError(`Cannot write ${path}: permission denied`, { cause: error });
    default:
      return error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
