import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { hasTool } from '../../../test/support/tools.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { failureOf, inChunks, whole } from './test/fixtures.ts';
import { isSkippableMagic, unpackedZstd } from './zstd.ts';

// Random bytes make raw blocks, zeros run-length blocks, text compressed ones.
const random = Buffer.from(
  Array.from({ length: 300_000 }, (_, at) => (at * at * 31 + at * 7) >> 3),
);
const parts = [random, Buffer.alloc(500_000), Buffer.from('some text, '.repeat(20_000))];
const skippable = Buffer.concat([
  Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]),
  Buffer.from('12345'),
]);

const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

describe('unpackedZstd()', () => {
  const frames = parts.map((part, at) => zstdCompressSync(part, at % 2 ? checked : {}));

  it('reads every frame, which Node alone does not (nodejs/node#64741)', async () => {
    const packed = Buffer.concat(frames);
    expect(
      (await whole(unpackedZstd(inChunks(packed, 1000), 'x'))).equals(Buffer.concat(parts)),
    ).toBe(true);
    // The day this fails, zstd.ts can go.
    expect(zstdDecompressSync(packed).length).toBe(random.length);
  });

  it('passes over skippable frames, in front, between and at the end', async () => {
    const packed = Buffer.concat([skippable, ...frames.flatMap((frame) => [frame, skippable])]);
    expect(
      (await whole(unpackedZstd(inChunks(packed, 999), 'x'))).equals(Buffer.concat(parts)),
    ).toBe(true);
  });

  it('survives chunks of one byte', async () => {
    const packed = Buffer.concat([zstdCompressSync('one '), skippable, zstdCompressSync('two')]);
    expect(String(await whole(unpackedZstd(inChunks(packed, 1), 'x')))).toBe('one two');
  });

  it.each([
    ['a frame cut in its content', Buffer.concat(frames).subarray(0, -9)],
    ['a frame cut in its checksum', (frames[1] ?? Buffer.alloc(0)).subarray(0, -2)],
    ['a frame cut in its magic', Buffer.concat([zstdCompressSync('x'), Buffer.from([0x28, 0xb5])])],
    ['a skippable frame cut short', skippable.subarray(0, -1)],
  ])('refuses %s', async (_, packed) => {
    const failure = await failureOf(whole(unpackedZstd(inChunks(packed, 512), 'app.tar.zst')));
    expect(failure).toBeInstanceOf(ContentInvalidError);
    expect(String(failure)).toMatch(/app\.tar\.zst: it is truncated/);
  });

  it('refuses what follows a frame and is none', async () => {
    const packed = Buffer.concat([zstdCompressSync('x'), Buffer.from('rubbish')]);
    expect(await failureOf(whole(unpackedZstd(inChunks(packed), 'x')))).toMatchObject({
      code: 'CONTENT_INVALID',
    });
  });

  it.skipIf(!hasTool('zstd'))('reads what the zstd tool wrote, frame after frame', async () => {
    const packed = parts.map((input) => execFileSync('zstd', ['-c', '-q', '-19'], { input }));
    const read = await whole(unpackedZstd(inChunks(Buffer.concat(packed), 4096), 'x'));
    expect(read.equals(Buffer.concat(parts))).toBe(true);
  });

  it.skipIf(!hasTool('pzstd'))(
    'reads what pzstd wrote: frames with skippable ones between',
    async () => {
      const input = Buffer.concat([...parts, ...parts, ...parts, randomBytes(3_000_000)]);
      const bytes = execFileSync('pzstd', ['-c', '-q', '-1', '-p', '4'], {
        input,
        maxBuffer: 2 ** 26,
      });
      // Its first frame is a skippable one, with the size of the next in it.
      expect(isSkippableMagic(bytes.readUInt32LE())).toBe(true);
      expect(bytes.indexOf(bytes.subarray(0, 4), 4)).toBeGreaterThan(0);
      expect((await whole(unpackedZstd(inChunks(bytes, 65_536), 'x'))).equals(input)).toBe(true);
    },
  );
});
