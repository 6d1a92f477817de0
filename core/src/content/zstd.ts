import { createZstdDecompress } from 'node:zlib';

import type { ByteStream } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { StreamCursor, truncated } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { chunkByChunk, piped } from './piped.ts';

const frameMagic = 0xfd2fb528;

/** Whether the first four bytes, little endian, open a frame that holds no content. */
export function isSkippableMagic(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

/**
 * Unpacks zstd, all its frames.
 *
 * Node's decoder ends with the first frame and silently drops the others
 * (https://github.com/nodejs/node/issues/64741), and zstd:chunked and pzstd write many: so each
 * frame gets a decoder of its own, and the frames are told apart here.
 *
 * @param what Names the content in errors.
 * @see https://www.rfc-editor.org/rfc/rfc8878.html#section-3.1
 */
export async function* unpackedZstd(
  source: ByteStream,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  const cursor = new StreamCursor(source, what);
  try {
    for (;;) {
      const magic = await cursor.take(4);
      if (magic.length === 0) return;
      const number = word(cursor, magic);
      if (isSkippableMagic(number)) {
        await cursor.skip(word(cursor, await cursor.take(4)));
      } else if (number === frameMagic) {
        yield* piped(frame(cursor, magic), createZstdDecompress(chunkByChunk));
      } else {
        throw new ContentInvalidError(
          `Cannot unpack ${what}: there is no zstd frame at byte ${cursor.position - 4}; want a file that is not corrupt`,
        );
      }
    }
  } finally {
    await cursor.close();
  }
}

function word(cursor: Cursor, bytes: Buffer): number {
  if (bytes.length < 4) throw truncated(cursor, 4 - bytes.length);
  return bytes.readUInt32LE();
}

/** The bytes of one frame, no more: header, blocks, checksum. */
async function* frame(cursor: StreamCursor, magic: Buffer): AsyncGenerator<Uint8Array, void> {
  const [descriptor] = await exactly(cursor, 1);
  const flags = descriptor ?? 0;
  yield Buffer.from([...magic, flags]);
  yield* cursor.body(headerRest(flags));
  for (let isLast = false; !isLast;) {
    const head = await exactly(cursor, 3);
    const bits = head.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    const isRunLength = ((bits >> 1) & 3) === 1;
    yield head;
    yield* cursor.body(isRunLength ? 1 : bits >> 3);
  }
  const hasChecksum = (flags & 4) !== 0;
  yield* cursor.body(hasChecksum ? 4 : 0);
}

/** Bytes of the header behind its first: window, dictionary, content size. */
function headerRest(flags: number): number {
  const isSingleSegment = (flags & 0x20) !== 0;
  const windowLength = isSingleSegment ? 0 : 1;
  const dictionaryLength = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  return windowLength + dictionaryLength + sizeLength;
}

async function exactly(cursor: StreamCursor, length: number): Promise<Buffer> {
  const bytes = await cursor.take(length);
  if (bytes.length < length) throw truncated(cursor, length - bytes.length);
  return bytes;
}
