import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';

import { YamuxSession } from '../session.ts';
import type { YamuxOptions } from '../session.ts';

/** Two ends of a connection: when one is gone, the other is too, as with pipes and sockets. */
export function connection(): [Duplex, Duplex] {
  const [one, other] = duplexPair();
  for (const [near, far] of [
    [one, other],
    [other, one],
  ] as const) {
    near.on('error', () => {});
    near.once('close', () => far.destroy());
  }
  return [one, other];
}

/** A session with one end in the test's hands: what it writes arrives, what arrives is collected. */
export function sessionAndWire(options: YamuxOptions): {
  session: YamuxSession;
  wire: Duplex;
  received: () => Buffer;
} {
  const [near, wire] = connection();
  const chunks: Buffer[] = [];
  wire.on('data', (chunk: Buffer) => void chunks.push(chunk));
  return { session: new YamuxSession(near, options), wire, received: () => Buffer.concat(chunks) };
}

/** Whole numbers below a limit, the same for the same seed (mulberry32). */
export function belowOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Bytes that differ from place to place. */
export function bytesOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 31 + seed) >>> 0, at);
  return bytes;
}
