import type { FileHandle } from 'node:fs/promises';

import type { ByteStream } from '@reposure/core';
import type { Hasher } from '@reposure/core/oci';

import type { Quota } from './quota.ts';

/** A hash, and how many bytes it has seen: worth something while that is the size of the file. */
export interface Progress {
  readonly hasher: Hasher;
  hashedBytes: number;
}

/** A file that grows. */
export interface Growing {
  readonly handle: FileHandle;
  /** The size of the file; bytes go there. Moved on with what is written. */
  offset: number;
  /** The hash of what is in the file, if there is one. */
  readonly progress: Progress | undefined;
  readonly quota: Quota;
}

/** A socket gives at most 64 KiB at a time, and a write of its own for each costs as much as the hash. */
const batchBytes = 512 * 1024;

/**
 * Writes a stream at the end of a file. What has arrived is written, and stays, if the stream breaks.
 *
 * @throws what the stream throws, and what the disk or the quota says.
 */
export async function append(growing: Growing, source: ByteStream): Promise<void> {
  await growing.quota.ready();
  let batch: Uint8Array[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const [chunks, bytes] = [batch, size];
    [batch, size] = [[], 0];
    if (bytes > 0) await write(growing, chunks, bytes);
  };
  try {
    for await (const chunk of source) {
      growing.quota.take(chunk.byteLength);
      batch.push(chunk);
      size += chunk.byteLength;
      if (growing.progress) hash(growing.progress, chunk);
      if (size >= batchBytes) await flush();
    }
  } finally {
    await flush();
  }
}

function hash(progress: Progress, chunk: Uint8Array): void {
  progress.hasher.update(chunk);
  progress.hashedBytes += chunk.byteLength;
}

/** Writes all of `chunks` or, as far as the file's size tells, nothing. */
async function write(growing: Growing, chunks: Uint8Array[], bytes: number): Promise<void> {
  const { handle, offset, quota } = growing;
  try {
    const { bytesWritten } = await handle.writev(chunks, offset);
    // Nearly full, a disk takes a part; the rest then says why.
    const rest = bytesWritten < bytes ? Buffer.concat(chunks).subarray(bytesWritten) : undefined;
    if (rest) await writeAll(handle, rest, offset + bytesWritten);
  } catch (error) {
    quota.release(bytes);
    await handle.truncate(offset);
    throw error;
  }
  growing.offset += bytes;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.byteLength;) {
    const rest = chunk.byteLength - written;
    const { bytesWritten } = await handle.write(chunk, written, rest, position + written);
    written += bytesWritten;
  }
}
