import { describe, expect, it } from 'vitest';

import { FrameRoom, opcodes, shortFrame } from './websocket-frames.ts';
import type { Masking } from './websocket-frames.ts';

/** What a server reads in a frame of ours. */
function readFrame(frame: Buffer): { first: number; mask: Buffer; payload: Buffer } {
  expect((frame[1] ?? 0) & 0x80).toBe(0x80);
  const short = (frame[1] ?? 0) & 0x7f;
  const at = 2 + (short < 126 ? 0 : short === 126 ? 2 : 8);
  const length =
    short < 126 ? short : short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  const mask = frame.subarray(at, at + 4);
  const masked = frame.subarray(at + 4);
  expect(masked).toHaveLength(length);
  const payload = Buffer.from(masked.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return { first: frame[0] ?? 0, mask, payload };
}

const lengths = [0, 1, 2, 3, 4, 5, 125, 126, 127, 65_535, 65_536, 65_537, 262_143, 262_144];

describe.each<Masking>(['zero', 'random'])('FrameRoom with a %s mask', (masking) => {
  it.each(lengths)('makes a frame of %i bytes', (length) => {
    const room = new FrameRoom(262_144);
    const bytes = Buffer.alloc(length, 'reposure');
    bytes.copy(room.payload);
    const { first, payload } = readFrame(room.frame(opcodes.binary, length, masking));
    expect(first).toBe(0x82);
    expect(payload.equals(bytes)).toBe(true);
  });
});

it.each<[Masking, number, number]>([
  ['zero', 1, 1],
  ['random', 7, 8],
])('a %s mask has from %i to %i values in 8 frames', (masking, least, most) => {
  const masks = Array.from({ length: 8 }, () =>
    readFrame(shortFrame(opcodes.ping, Buffer.from('x'), masking)).mask.toString('hex'),
  );
  expect(masks.includes('00000000')).toBe(masking === 'zero');
  expect(new Set(masks).size).toBeGreaterThanOrEqual(least);
  expect(new Set(masks).size).toBeLessThanOrEqual(most);
});

it('FrameRoom holds one payload after the other, of any length', () => {
  const room = new FrameRoom(1_000);
  for (const length of [1_000, 7, 300, 1, 999]) {
    const bytes = Buffer.alloc(length, String(length));
    room.payload.set(bytes);
    expect(readFrame(room.frame(opcodes.binary, length, 'random')).payload.equals(bytes)).toBe(
      true,
    );
  }
});
