import { createGunzip, createGzip } from 'node:zlib';

import type { ByteStream } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';
import type { Compression } from '../oci/index.ts';
import { TruncatedError } from './cursor.ts';
import { codeOf } from './file-bytes.ts';
import { piped } from './piped.ts';
import { isSkippableMagic, unpackedZstd } from './zstd.ts';

/** How content is packed, told by its first bytes: names of files promise too much. */
export function compressionOfBytes(head: Uint8Array): Compression {
  const bytes = Buffer.from(head.subarray(0, 4));
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes.length < 4) return 'none';
  const magic = bytes.readUInt32LE();
  return magic === 0xfd2fb528 || isSkippableMagic(magic) ? 'zstd' : 'none';
}

/**
 * Unpacks a stream; all members of gzip, all frames of zstd.
 *
 * @param what Names the content in errors.
 * @throws {ContentInvalidError} if it is corrupt or ends too early.
 */
export async function* unpacked(
  source: ByteStream,
  compression: Compression,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  try {
    switch (compression) {
      case 'none':
        yield* source;
        break;
      case 'gzip':
        yield* piped(source, createGunzip());
        break;
      case 'zstd':
        yield* unpackedZstd(source, what);
        break;
    }
  } catch (error) {
    throw unpackingError(error, compression, what);
  }
}

function unpackingError(error: unknown, compression: Compression, what: string): unknown {
  const code = codeOf(error);
  if (!/^(?:Z_|ZSTD_)/.test(code)) return error;
  const isTruncated = code === 'Z_BUF_ERROR';
  const state = isTruncated ? 'is truncated' : 'is corrupt';
  const message = `Cannot unpack ${what}: its ${compression} stream ${state}; want the whole file as it was written`;
  return isTruncated
    ? new TruncatedError(message, { cause: error })
    : new ContentInvalidError(message, { cause: error });
}

/**
 * Packs with gzip, so that equal content gives equal bytes on every machine.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952.html#section-2.3
 */
export async function* gzipped(source: ByteStream): AsyncGenerator<Uint8Array, void> {
  let isFirst = true;
  for await (const chunk of piped(source, createGzip({ level: 6 }))) {
    // The header's last byte names the operating system: 255 is "unknown". zlib writes no time.
    if (isFirst && chunk.byteLength > 9) chunk[9] = 255;
    isFirst = false;
    yield chunk;
  }
}
