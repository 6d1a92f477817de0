import type { ByteStream } from '../bytes.ts';
import type { Compression, Digest } from '../oci/index.ts';
import { Count } from './count.ts';
import { compressionOfBytes, unpacked } from './packing.ts';
import { UnpackBudget } from './unpack-limits.ts';

/** What a layer is once it is unpacked. */
export interface UnpackedLayer {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly size: number;
  /**
   * How it was packed, as its bytes say: under another media type the same bytes may be a layer with
   * another content.
   */
  readonly compression: Compression;
}

/**
 * Unpacks a layer and hashes what comes out; nothing is kept.
 *
 * @param packedBytes Its size as it is stored: how much may come out is measured by it.
 * @param what Names the layer in errors.
 * @throws {ContentInvalidError} if it is corrupt.
 * @throws {LimitExceededError} if it unpacks to more than a layer may.
 */
export async function diffIdOf(
  layer: ByteStream,
  packedBytes: number,
  what: string,
): Promise<UnpackedLayer> {
  const { head, whole } = await peeked(layer);
  const count = new Count();
  const compression = compressionOfBytes(head);
  const tar = unpacked(whole, compression, what);
  for await (const _ of count.of(new UnpackBudget().counted(tar, packedBytes)));
  return { diffId: count.digest(), size: count.size, compression };
}

/** The first bytes of a stream, and the stream with them. */
async function peeked(
  source: ByteStream,
): Promise<{ readonly head: Uint8Array; readonly whole: ByteStream }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.byteLength < 4) {
    const { value, done } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  return { head, whole: rejoined(head, iterator) };
}

async function* rejoined(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield head;
    for (;;) {
      const { value, done } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
