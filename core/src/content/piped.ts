import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { ByteStream } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';

/**
 * What every transform is made with: the next chunk is asked for only when the last one is used up, as
 * the source may overwrite it. Also, if the end is known while a chunk still waits, Node ends a zstd frame
 * with that chunk and once more with nothing, so that equal content would not have equal bytes.
 */
export const chunkByChunk: { readonly writableHighWaterMark: number; readonly info?: false } = {
  writableHighWaterMark: 1,
};

/** Runs bytes through one of Node's transforms (zlib's, that is) and lets go of both at the end. */
export async function* piped(
  source: ByteStream,
  transform: Transform,
): AsyncGenerator<Uint8Array, void> {
  let failure: unknown;
  const feeding = pipeline(source, transform).catch((error: unknown) => {
    failure = error;
  });
  try {
    for await (const chunk of transform) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
    // zlib leaves what it does not want unread, and whoever writes it waits for ever.
    if (transform.writableLength > 0) {
      throw new ContentInvalidError('Cannot unpack content: something follows behind its end');
    }
    await feeding;
  } finally {
    // A reader that stops early must not leave the source open.
    transform.destroy();
  }
  // The transform may have ended well although its source did not.
  if (failure !== undefined) throw asError(failure);
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}
