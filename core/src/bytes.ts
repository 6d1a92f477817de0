import { createHash } from 'node:crypto';

import { ReposureError } from './errors.ts';

/**
 * Bytes in order, pulled by whoever reads them: the currency of every stream in Reposure.
 *
 * A chunk is valid until the next one is asked for: it may lie in memory that is then read into again.
 * Who keeps one for longer copies it.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** More arrived than the reader is willing to hold. */
export class LimitExceededError extends ReposureError {
  override readonly name = 'LimitExceededError';
  readonly code = 'LIMIT_EXCEEDED';
}

/**
 * Reads a stream to its end.
 *
 * @param what Names the content in the error.
 * @param maxBytes Refused beyond this, before more is held.
 * @throws {LimitExceededError} if there is more.
 */
export async function collect(source: ByteStream, what: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new LimitExceededError(`Cannot read ${what}: it has more than ${maxBytes} bytes`);
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks, size);
}

/** A stream of what is already in memory. */
export async function* streamOf(
  ...chunks: readonly Uint8Array[]
): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

/** The lower-case hex of sha256. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
