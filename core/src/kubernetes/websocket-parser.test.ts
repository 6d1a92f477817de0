import { randomInt } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { opcodes } from './websocket-frames.ts';
import { FrameError, FrameParser } from './websocket-parser.ts';
import type { Fragment } from './websocket-parser.ts';

const maxMessageBytes = 1 << 20;

/** A frame as a server sends it. */
function frameOf(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const length = payload.byteLength;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = (isFinal ? 0x80 : 0) | opcode;
  header[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

/** What was said, with the parts of each message joined. */
function heard(fragments: Iterable<Fragment>): readonly (readonly [number, string])[] {
  const messages: (readonly [number, string])[] = [];
  let parts: Buffer[] = [];
  for (const { opcode, payload, isFirst, isLast } of fragments) {
    if (opcode !== opcodes.binary) {
      messages.push([opcode, payload.toString('latin1')]);
      continue;
    }
    expect(isFirst).toBe(parts.length === 0);
    parts.push(payload);
    if (!isLast) continue;
    messages.push([opcode, Buffer.concat(parts).toString('latin1')]);
    parts = [];
  }
  expect(parts).toEqual([]);
  return messages;
}

/** Numbers below a bound, the same ones for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Below = ReturnType<typeof randomOf>;

function randomBytes(below: Below, length: number): Buffer {
  // A period that no length of a header divides, so that a shift by any of them shows.
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, () => below(256))));
}

/** Lengths at which something changes, and others. */
function randomLength(below: Below): number {
  const edges = [0, 1, 2, 124, 125, 126, 127, 128, 32_769, 65_535, 65_536];
  return below(12) ? below(600) : (edges[below(edges.length)] ?? 0);
}

/** A conversation of messages, some of them in several frames with control frames in between. */
function conversationOf(below: Below): {
  bytes: Buffer;
  said: readonly (readonly [number, string])[];
} {
  const frames: Buffer[] = [];
  const said: (readonly [number, string])[] = [];
  const interrupt = (): void => {
    if (below(3)) return;
    const opcode = below(2) ? opcodes.ping : opcodes.pong;
    const payload = randomBytes(below, below(126));
    frames.push(frameOf(opcode, payload));
    said.push([opcode, payload.toString('latin1')]);
  };
  for (let message = 0; message < 8; message++) {
    const parts = Array.from({ length: 1 + (below(3) ? 0 : below(4)) }, () =>
      randomBytes(below, randomLength(below)),
    );
    parts.forEach((part, at) => {
      interrupt();
      const opcode = at === 0 ? opcodes.binary : opcodes.continuation;
      frames.push(frameOf(opcode, part, at === parts.length - 1));
    });
    said.push([opcodes.binary, Buffer.concat(parts).toString('latin1')]);
  }
  return { bytes: Buffer.concat(frames), said };
}

function* cut(bytes: Buffer, below: Below): Generator<Buffer, void> {
  // Byte by byte where there are few.
  const longest = [Math.ceil(bytes.length / 10_000), 20, 1_000, 70_000][below(4)] ?? 1;
  for (let at = 0; at < bytes.length;) {
    const length = 1 + below(longest);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe('FrameParser', () => {
  const seeds = Array.from({ length: 25 }, () => randomInt(2 ** 31));

  it.each(seeds)('reads what was said, wherever it is cut (seed %i)', (seed) => {
    const below = randomOf(seed);
    const { bytes, said } = conversationOf(below);
    const parser = new FrameParser(maxMessageBytes);
    const fragments = [...cut(bytes, below)].flatMap((chunk) => Array.from(parser.read(chunk)));
    expect(heard(fragments)).toEqual(said);
  });

  it.each(seeds)('ends with its own error or none on random bytes (seed %i)', (seed) => {
    const below = randomOf(seed);
    const parser = new FrameParser(maxMessageBytes);
    let bytes = 0;
    const readAll = (): unknown => {
      try {
        for (const chunk of cut(randomBytes(below, 2_000), below)) {
          for (const { payload } of parser.read(chunk)) bytes += payload.byteLength;
        }
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const failure = readAll();
    expect(failure === undefined || failure instanceof FrameError).toBe(true);
    expect(bytes).toBeLessThanOrEqual(2_000);
  });

  it('hands on a payload where it lies, without a copy', () => {
    const chunk = frameOf(opcodes.binary, Buffer.from('\x01text'));
    const [fragment] = [...new FrameParser(maxMessageBytes).read(chunk)];
    expect(fragment?.payload.buffer).toBe(chunk.buffer);
    expect(fragment?.payload.toString()).toBe('\x01text');
  });

  const hello = Buffer.from('hello');
  it.each([
    ['a reserved bit', Buffer.of(0xc2, 0), 1002, /reserved bits/],
    ['a masked frame', Buffer.of(0x82, 0x80, 1, 2, 3, 4), 1002, /masked/],
    ['text', frameOf(opcodes.text, hello), 1003, /text; want binary/],
    ['an unknown opcode', frameOf(0x3, hello), 1002, /unknown opcode 3/],
    ['an unknown control frame', frameOf(0xb, hello), 1002, /unknown opcode 11/],
    ['a continuation of nothing', frameOf(opcodes.continuation, hello), 1002, /continues no/],
    [
      'a message in a message',
      Buffer.concat([frameOf(opcodes.binary, hello, false), frameOf(opcodes.binary, hello)]),
      1002,
      /interrupts/,
    ],
    ['a part of a ping', frameOf(opcodes.ping, hello, false), 1002, /part of a control frame/],
    ['a long ping', frameOf(opcodes.ping, Buffer.alloc(126)), 1002, /of 126 bytes; want at most/],
    [
      'a frame without measure',
      Buffer.of(0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255),
      1009,
      /want at most 1048576/,
    ],
    [
      'a message that grows by frames',
      Buffer.concat([
        frameOf(opcodes.binary, Buffer.alloc(maxMessageBytes), false),
        frameOf(opcodes.continuation, Buffer.of(1)),
      ]),
      1009,
      /has 1048577 bytes or more/,
    ],
  ])('refuses %s', (_, bytes, closeCode, message) => {
    const read = (): unknown => [...new FrameParser(maxMessageBytes).read(bytes)];
    expect(read).toThrow(expect.objectContaining({ name: 'FrameError', closeCode }));
    expect(read).toThrow(message);
  });
});
