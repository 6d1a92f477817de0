import type { ClientHttp2Stream } from 'node:http2';

import type { ByteStream } from '../bytes.ts';

/** Frames have 16 KiB; larger pieces cost less in everything that handles them next. */
const maxChunkBytes = 256 * 1024;

/**
 * Reads an answer to its end, and lets go of its stream however the reader leaves.
 *
 * The stream's own iterator is not used: it takes the property `closed`, which for HTTP/2 says that
 * all frames have come, for the end of the stream, and throws ERR_STREAM_PREMATURE_CLOSE over what
 * waits to be read. Nor does it tell a stream that was reset from one that ended.
 *
 * @throws what `failure` makes if the answer was cut.
 */
export async function* readBody(
  stream: ClientHttp2Stream,
  failure: (cause: unknown) => unknown,
): ByteStream {
  let wake: (() => void) | undefined;
  const woken = (): void => wake?.();
  stream.on('readable', woken).on('end', woken).on('close', woken);
  try {
    for (;;) {
      const chunk: unknown = stream.read(
        Math.min(stream.readableLength, maxChunkBytes) || undefined,
      );
      if (Buffer.isBuffer(chunk)) {
        yield chunk;
        continue;
      }
      if (stream.readableEnded || stream.destroyed) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (!stream.readableEnded || stream.rstCode) throw failure(causeOf(stream));
  } finally {
    stream.off('readable', woken).off('end', woken).off('close', woken);
    // Not read to its end, or answered before the request was sent to its end.
    if (!stream.readableEnded || !stream.writableEnded) abandon(stream);
  }
}

/**
 * Resets a stream, so that the far side lets go of the request.
 *
 * Not with `close`: it ends the request's body first, which would then look like a whole one. And
 * not without an error: the code would be 0, which the far side does not take as a reset.
 */
export function abandon(stream: ClientHttp2Stream): void {
  stream.destroy(new Error('the request was given up on this side'));
}

function causeOf(stream: ClientHttp2Stream): Error {
  return stream.errored ?? new Error(`the stream was reset with code ${stream.rstCode}`);
}
