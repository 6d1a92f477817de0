import { describe, expect, it } from 'vitest';

import { FrameReader } from './frame-reader.ts';
import { encodeHeader, flags, parseHeader, types, YamuxError } from './frame.ts';
import type { Header } from './frame.ts';
import { belowOf } from './test/support.ts';

/** Reads chunks, and writes down what it is told. */
function read(chunks: readonly Buffer[]): { headers: Header[]; data: string; ends: number } {
  const told = { headers: [] as Header[], data: '', ends: 0 };
  const reader = new FrameReader({
    onHeader: (header) => void told.headers.push(header),
    onData: (part) => (told.data += part.toString('latin1')),
    onDataEnd: () => void told.ends++,
  });
  for (const chunk of chunks) reader.read(chunk);
  return told;
}

type Below = (limit: number) => number;

function randomFrame(below: Below): { header: Header; data: Buffer } {
  const type = below(4);
  const data = type === types.data ? Buffer.alloc(below(300), below(256)) : Buffer.of();
  const length = type === types.data ? data.byteLength : below(0xffff_ffff);
  const streamId = type <= types.windowUpdate ? 1 + below(0xffff_fffe) : 0;
  return { header: { type, flags: below(16), streamId, length }, data };
}

function cut(bytes: Buffer, size: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += pieces.at(-1)?.byteLength ?? 0) {
    pieces.push(bytes.subarray(at, at + size()));
  }
  return pieces;
}

describe('FrameReader', () => {
  it('finds the same frames wherever the bytes are cut', () => {
    const seed = Date.now() >>> 0;
    const below = belowOf(seed);
    for (let round = 0; round < 200; round++) {
      const frames = Array.from({ length: below(20) }, () => randomFrame(below));
      const bytes = Buffer.concat(
        frames.flatMap(({ header, data }) => [encodeHeader(header), data]),
      );
      const expected = {
        headers: frames.map(({ header }) => header),
        data: Buffer.concat(frames.map(({ data }) => data)).toString('latin1'),
        ends: frames.filter(({ header }) => header.type === types.data).length,
      };
      const pieces = cut(bytes, () => 1 + below(round % 2 ? 40 : 400));
      expect(read(pieces), `seed ${seed}, round ${round}`).toEqual(expected);
    }
  });

  it.each([
    ['another version', [1, types.data, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['a type that there is not', [0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a flag that there is not', [0, types.data, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['data of the session', [0, types.data, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['a ping of a stream', [0, types.ping, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]],
  ])('refuses %s', (_, bytes) => {
    expect(() => read([Buffer.from(bytes)])).toThrow(YamuxError);
    expect(() => parseHeader(Buffer.from(bytes), 0)).toThrow(/want one of yamux version 0/);
  });

  it('writes what the specification shows', () => {
    const header = { type: types.windowUpdate, flags: flags.syn, streamId: 0x0102_0304, length: 5 };
    expect(encodeHeader(header).toString('hex')).toBe('000100010102030400000005');
  });
});
