import { constants, createGunzip, createGzip, createZstdCompress } from 'node:zlib';

import type { ByteStream } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { ContentInvalidError } from '../oci/index.ts';
import type { Compression } from '../oci/index.ts';
import { TruncatedError } from './cursor.ts';
import { codeOf } from './file-bytes.ts';
import { chunkByChunk, piped } from './piped.ts';
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
        yield* piped(source, createGunzip(chunkByChunk));
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

/** How content is packed, and how hard. */
export interface Packing {
  readonly compression: Compression;
  readonly level: number;
  /** Whether somebody chose it. */
  readonly isAsked: boolean;
}

/** Which levels there are, and which one is meant without a word. */
const levels = {
  gzip: { max: 9, usual: 6 },
  // Beyond 19, whoever unpacks it needs far more memory, too.
  zstd: { max: 19, usual: 3 },
} as const;

/**
 * What packing is asked for.
 *
 * @throws {InputError} if the compression has no such level.
 */
export function parsePacking(compression?: Compression, level?: number): Packing {
  const isAsked = compression !== undefined || level !== undefined;
  const known = compression ?? 'gzip';
  if (known === 'none') {
    if (level === undefined) return { compression: known, level: 0, isAsked };
    throw new InputError(
      `Cannot compress at level ${level}: the compression is none; want gzip or zstd, or no level`,
    );
  }
  const { max, usual } = levels[known];
  if (level !== undefined && !(Number.isInteger(level) && level >= 1 && level <= max)) {
    throw new InputError(
      `Cannot compress with ${known} at level ${level}: want a whole number from 1 to ${max}`,
    );
  }
  return { compression: known, level: level ?? usual, isAsked };
}

/**
 * Refuses to pack what keeps its digests.
 *
 * @param isDocker Whether the same archive can be read as docker's, too.
 * @throws {InputError} if somebody asked for it.
 */
export function refusePacking({ isAsked }: Packing, what: string, isDocker = false): void {
  if (!isAsked) return;
  const orElse = isDocker ? ', or write docker-archive: in front of it' : '';
  throw new InputError(
    `Cannot compress the layers of ${what}: an OCI layout keeps its digests, and other bytes would change them; leave compression and level out${orElse}`,
  );
}

/**
 * Packs so that equal content gives equal bytes on every machine.
 *
 * @param source May overwrite a chunk when it is asked for the next one.
 */
export function packed(source: ByteStream, { compression, level }: Packing): ByteStream {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return gzipped(source, level);
    case 'zstd': {
      const params = { [constants.ZSTD_c_compressionLevel]: level };
      return piped(source, createZstdCompress({ ...chunkByChunk, params }));
    }
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc1952.html#section-2.3 */
async function* gzipped(source: ByteStream, level: number): AsyncGenerator<Uint8Array, void> {
  let isFirst = true;
  for await (const chunk of piped(source, createGzip({ ...chunkByChunk, level }))) {
    // The header's last byte names the operating system: 255 is "unknown". zlib writes no time.
    if (isFirst && chunk.byteLength > 9) chunk[9] = 255;
    isFirst = false;
    yield chunk;
  }
}
