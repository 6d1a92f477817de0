import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { InputError, NotFoundError } from '../errors.ts';
import { ContentInvalidError } from '../oci/index.ts';

/** Big enough that the thread pool's round trip is not felt, small enough for ten at once. */
const chunkBytes = 64 * 1024;

/** Bytes `start` up to, not including, `end` of an open file. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads part of an open file; positional, so that many may read one handle at the same time.
 *
 * @throws {ContentInvalidError} if the file ends before `end`.
 */
export async function* readRange(
  handle: FileHandle,
  { start, end, signal }: Range,
): AsyncGenerator<Uint8Array, void> {
  for (let position = start; position < end;) {
    signal?.throwIfAborted();
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) {
      throw new ContentInvalidError(`Cannot read byte ${position} of ${end}: the file got shorter`);
    }
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Reads a file from `offset` to its end; it is open only while somebody reads. */
export async function* readFileFrom(
  path: string,
  offset = 0,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    yield* readRange(handle, { start: offset, end: size, signal });
  } finally {
    await handle.close();
  }
}

/**
 * Opens a regular file for reading.
 *
 * @param what Names it in the error.
 * @throws {NotFoundError} if there is none.
 * @throws {InputError} if it is something else, or not ours to read.
 */
export async function openFile(path: string, what = path): Promise<FileHandle> {
  try {
    // Asked first: to open a named pipe would wait for somebody who writes to it.
    const found = await stat(path);
    if (!found.isFile()) {
      throw new InputError(
        `Cannot read ${what}: it is not a regular file; want one, or write - for an archive on standard input`,
      );
    }
    return await open(path, 'r');
  } catch (error) {
    throw readingError(error, what);
  }
}

/** Says what a failed system call means for whoever named the file. */
export function readingError(error: unknown, what: string): unknown {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NotFoundError(`Cannot read ${what}: there is no such file or folder`);
    case 'EACCES':
    case 'EPERM':
      return new InputError(`Cannot read ${what}: permission denied`, { cause: error });
    default:
      return error;
  }
}

/** The code of a failed system call or of zlib, else nothing. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/**
 * Writes a stream into an open file, from `position` on.
 *
 * @returns How many bytes it were.
 */
export async function writeFrom(
  handle: FileHandle,
  position: number,
  content: ByteStream,
): Promise<number> {
  let written = 0;
  for await (const chunk of content) {
    await writeAt(handle, position + written, chunk);
    written += chunk.byteLength;
  }
  return written;
}

/** Writes all of `bytes` at `position`: one call of the system may take fewer. */
export async function writeAt(
  handle: FileHandle,
  position: number,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(
      bytes,
      done,
      bytes.byteLength - done,
      position + done,
    );
    done += bytesWritten;
  }
}
