import { gzipSync, gunzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { compressionOfBytes, gzipped, unpacked } from './packing.ts';
import { failureOf, inChunks, whole } from './test/fixtures.ts';

const text = Buffer.from('hello world, '.repeat(10_000));

describe('compressionOfBytes()', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['zstd', Buffer.from([0x50, 0x2a, 0x4d, 0x18])],
    ['none', text],
    ['none', Buffer.alloc(0)],
    ['none', Buffer.from([0x1f])],
  ] as const)('tells %s', (compression, bytes) => {
    expect(compressionOfBytes(bytes)).toBe(compression);
  });
});

describe('unpacked()', () => {
  it('reads every member of gzip', async () => {
    const packed = Buffer.concat([gzipSync(text), gzipSync('and more')]);
    const read = await whole(unpacked(inChunks(packed, 100), 'gzip', 'x'));
    expect(read.equals(Buffer.concat([text, Buffer.from('and more')]))).toBe(true);
  });

  it.each([
    ['gzip', gzipSync(text).subarray(0, -20), /its gzip stream is truncated/],
    ['gzip', gzipSync(text).fill(7, 40, 60), /its gzip stream is corrupt/],
    [
      'zstd',
      zstdCompressSync(text).fill(7, 12, 20),
      /its zstd stream is corrupt|truncated|no zstd frame/,
    ],
  ] as const)('says what is wrong with %s', async (compression, packed, message) => {
    const failure = await failureOf(whole(unpacked(inChunks(packed, 30), compression, 'app.tgz')));
    expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toContain('app.tgz');
  });

  it.each([1, 64, 100_000])('ends when zeros follow gzip (chunks of %i)', async (size) => {
    const packed = Buffer.concat([gzipSync(text), Buffer.alloc(700)]);
    const end = await failureOf(whole(unpacked(inChunks(packed, size), 'gzip', 'x')));
    // Either reading is fine; waiting for ever is not.
    expect(String(end)).toMatch(/no failure|follows behind its end/);
  });

  it('passes on the failure of its source', async () => {
    const failing = (async function* () {
      yield gzipSync(text).subarray(0, 50);
      throw new Error('the line is dead');
    })();
    expect(String(await failureOf(whole(unpacked(failing, 'gzip', 'x'))))).toContain(
      'the line is dead',
    );
  });

  it('lets go of its source when the reader stops', async () => {
    let released = false;
    const source = (async function* () {
      try {
        for (;;) yield gzipSync(text);
      } finally {
        released = true;
      }
    })();
    for await (const _ of unpacked(source, 'gzip', 'x')) break;
    await expect.poll(() => released).toBe(true);
  });
});

describe('gzipped()', () => {
  it('writes the same bytes however its input is cut, and on every system', async () => {
    const one = await whole(gzipped(inChunks(text, 100)));
    const other = await whole(gzipped(inChunks(text, 65_536)));
    expect(one.equals(other)).toBe(true);
    expect(gunzipSync(one).equals(text)).toBe(true);
    // No time, no system.
    expect([...one.subarray(4, 10)]).toEqual([0, 0, 0, 0, 0, 255]);
  });
});
