import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { InputError, NotFoundError } from '../errors.ts';
import { ContentInvalidError } from '../oci/index.ts';

/** Big enough that the thread pool's round trip is not felt, small enough for ten at once. */
const chunkBytes = 64 * 1024;
/** Where the memory is used again: what the round trip takes is hidden behind larger chunks still. */
const reusedBytes = 256 * 1024;

/** Bytes `start` up to, not including, `end` of an open file. */
export interface Range {
  readonly start: number;
  readonly end: number;
  /**
   * All chunks lie in two buffers, one of which is read into ahead of its reader: for a reader that is
   * done with each when it asks for the next. Else V8 lets 64 MiB of chunks that nobody has any more
   * pile up before it frees them.
   */
  readonly isReused?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads part of an open file; positional, so that many may read one handle at the same time.
 *
 * @throws {ContentInvalidError} if the file ends before `end`.
 */
export async function* readRange(
  handle: FileHandle,
  range: Range,
): AsyncGenerator<Uint8Array, void> {
  const { start, end, isReused = false, signal } = range;
  if (isReused) return yield* readAhead(handle, range);
  for (let position = start; position < end;) {
    signal?.throwIfAborted();
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
    const chunk = await readAt(handle, buffer, position, end);
    position += chunk.byteLength;
    yield chunk;
  }
}

async function* readAhead(
  handle: FileHandle,
  { start, end, signal }: Range,
): AsyncGenerator<Uint8Array, void> {
  const bytes = Math.max(0, Math.min(reusedBytes, end - start));
  let [buffer, other] = [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
  let ahead: Promise<Buffer> | undefined;
  try {
    for (let position = start, isFirst = true; position < end; isFirst = false) {
      signal?.throwIfAborted();
      const chunk = await (ahead ?? readAt(handle, buffer.subarray(0, chunkBytes), position, end));
      position += chunk.byteLength;
      [buffer, other] = [other, buffer];
      // Not before somebody wants a second one: many look at the beginning only.
      ahead = isFirst || position >= end ? undefined : readAt(handle, buffer, position, end);
      ahead?.catch(() => {}); // told when its turn comes
      yield chunk;
    }
  } finally {
    // The file may be closed next.
    await ahead?.catch(() => {});
  }
}

async function readAt(
  handle: FileHandle,
  buffer: Buffer,
  position: number,
  end: number,
): Promise<Buffer> {
  const length = Math.min(buffer.byteLength, end - position);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead > 0) return buffer.subarray(0, bytesRead);
  throw new ContentInvalidError(`Cannot read byte ${position} of ${end}: the file got shorter`);
}

/**
 * Reads a file from `offset` to its end; it is open only while somebody reads. Each chunk is valid until
 * the next one is asked for.
 */
export async function* readFileFrom(
  path: string,
  offset = 0,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    yield* readRange(handle, { start: offset, end: size, isReused: true, signal });
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
 * What comes is gathered: TLS hands over 16 KiB at a time, and a call of the system costs as much as
 * writing four times that. One buffer is written while the other one fills.
 *
 * @returns How many bytes it were.
 */
export async function writeFrom(
  handle: FileHandle,
  position: number,
  content: ByteStream,
): Promise<number> {
  const writer = new GatheringWriter(handle, position);
  try {
    for await (const chunk of content) await writer.write(chunk);
    return await writer.end();
  } catch (error) {
    await writer.settle();
    throw error;
  }
}

class GatheringWriter {
  readonly #handle: FileHandle;
  readonly #start: number;
  #filling = Buffer.alloc(0);
  #other = Buffer.alloc(0);
  #filled = 0;
  #written = 0;
  #writing: Promise<void> | undefined;

  constructor(handle: FileHandle, start: number) {
    this.#handle = handle;
    this.#start = start;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength;) {
      if (this.#filling.byteLength === 0) this.#filling = Buffer.allocUnsafeSlow(reusedBytes);
      const part = chunk.subarray(taken, taken + reusedBytes - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.byteLength;
      taken += part.byteLength;
      if (this.#filled === reusedBytes) await this.#flush();
    }
  }

  /** @returns How many bytes were written, all of them. */
  async end(): Promise<number> {
    await this.#flush();
    await this.#writing;
    return this.#written;
  }

  /** Waits for what is under way, which may fail: the file may be closed next. */
  async settle(): Promise<void> {
    await this.#writing?.catch(() => {});
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const bytes = this.#filling.subarray(0, this.#filled);
    this.#writing = writeAt(this.#handle, this.#start + this.#written, bytes);
    this.#writing.catch(() => {}); // told when its turn comes
    this.#written += bytes.byteLength;
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#filled = 0;
  }
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
