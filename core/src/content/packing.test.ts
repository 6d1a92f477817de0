import { gzipSync, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { InputError } from '../errors.ts';
import { compressionOfBytes, packed, parsePacking, unpacked } from './packing.ts';
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
    const bytes = Buffer.concat([gzipSync(text), gzipSync('and more')]);
    const read = await whole(unpacked(inChunks(bytes, 100), 'gzip', 'x'));
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
  ] as const)('says what is wrong with %s', async (compression, bytes, message) => {
    const failure = await failureOf(whole(unpacked(inChunks(bytes, 30), compression, 'app.tgz')));
    expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toContain('app.tgz');
  });

  it.each([1, 64, 100_000])('ends when zeros follow gzip (chunks of %i)', async (size) => {
    const bytes = Buffer.concat([gzipSync(text), Buffer.alloc(700)]);
    const end = await failureOf(whole(unpacked(inChunks(bytes, size), 'gzip', 'x')));
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

describe('packed()', () => {
  const tools = { gzip: gunzipSync, zstd: zstdDecompressSync };
  const packings = [
    ['gzip', 1],
    ['gzip', 6],
    ['gzip', 9],
    ['zstd', 1],
    ['zstd', 3],
    ['zstd', 19],
  ] as const;

  it.each(packings)('writes the same bytes however its input is cut: %s, %i', async (...asked) => {
    for (const content of [text, text.subarray(0, 100), Buffer.alloc(0)]) {
      const outputs = new Set<string>();
      for (const size of [50, 4096, 65_536, content.length + 1]) {
        const bytes = await whole(packed(inChunks(content, size), parsePacking(...asked)));
        expect(tools[asked[0]](bytes).equals(content)).toBe(true);
        outputs.add(bytes.toString('hex'));
      }
      expect(outputs.size).toBe(1);
    }
  });

  it.each(packings)('is done with a chunk when it asks for the next: %s, %i', async (...asked) => {
    const chunk = Buffer.alloc(1000);
    const reused = (async function* () {
      for (let at = 0; at < text.length; at += chunk.length) {
        text.copy(chunk, 0, at);
        yield chunk.subarray(0, Math.min(chunk.length, text.length - at));
      }
    })();
    const bytes = await whole(packed(reused, parsePacking(...asked)));
    expect(tools[asked[0]](bytes).equals(text)).toBe(true);
  });

  it('writes no time and no system into gzip', async () => {
    const bytes = await whole(packed(inChunks(text, 100), parsePacking()));
    expect([...bytes.subarray(4, 10)]).toEqual([0, 0, 0, 0, 0, 255]);
  });

  it('leaves content as it is with none', async () => {
    const bytes = await whole(packed(inChunks(text, 100), parsePacking('none')));
    expect(bytes.equals(text)).toBe(true);
  });
});

describe('parsePacking()', () => {
  it('knows what is usual', () => {
    expect(parsePacking()).toEqual({ compression: 'gzip', level: 6, isAsked: false });
    expect(parsePacking('gzip')).toEqual({ compression: 'gzip', level: 6, isAsked: true });
    expect(parsePacking('zstd')).toEqual({ compression: 'zstd', level: 3, isAsked: true });
    expect(parsePacking(undefined, 9)).toEqual({ compression: 'gzip', level: 9, isAsked: true });
  });

  it.each([
    ['gzip', 0, /whole number from 1 to 9/],
    ['gzip', 10, /whole number from 1 to 9/],
    ['zstd', 20, /whole number from 1 to 19/],
    ['zstd', 1.5, /whole number from 1 to 19/],
    ['gzip', NaN, /whole number from 1 to 9/],
    ['none', 1, /the compression is none/],
  ] as const)('refuses %s at level %d', (compression, level, message) => {
    expect(() => parsePacking(compression, level)).toThrow(InputError);
    expect(() => parsePacking(compression, level)).toThrow(message);
  });
});
