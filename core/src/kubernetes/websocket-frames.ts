import { randomFillSync } from 'node:crypto';

/**
 * What a frame is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-11.8
 */
export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/**
 * How the payload of our frames is masked: each with four random bytes, or with four zeros, which
 * are a valid mask and leave it as it is.
 */
export type Masking = 'random' | 'zero';

/** The longest payload of a control frame. */
export const maxControlBytes = 125;

const final = 0x80;
const masked = 0x80;
const maskBytes = 4;
/** Two bytes, eight of length, and the mask; rounded up, so that the payload behind it is aligned. */
const headerRoom = 16;

/** A frame for at most 125 bytes, as control frames are, in memory of its own. */
export function shortFrame(opcode: number, payload: Uint8Array, masking: Masking): Buffer {
  const room = new FrameRoom(maxControlBytes);
  room.payload.set(payload);
  return room.frame(opcode, payload.byteLength, masking);
}

/** Memory for one frame: its payload is written in place, and the header put in front of it. */
export class FrameRoom {
  readonly payload: Buffer;
  readonly #memory: Buffer;
  readonly #words: Uint32Array;
  readonly #mask = new Uint32Array(1);

  /** @param maxPayloadBytes Of the longest payload that it will hold. */
  constructor(maxPayloadBytes: number) {
    const words = Math.ceil(maxPayloadBytes / maskBytes);
    // Not from Node's own pool: it is written to again and again.
    this.#memory = Buffer.allocUnsafeSlow(headerRoom + words * maskBytes);
    this.payload = this.#memory.subarray(headerRoom, headerRoom + maxPayloadBytes);
    this.#words = new Uint32Array(this.#memory.buffer, headerRoom, words);
  }

  /**
   * Makes an unfragmented frame of the first bytes of {@link payload}, which are masked in place.
   *
   * @returns Part of this memory: to be sent before the next payload is written.
   */
  frame(opcode: number, payloadBytes: number, masking: Masking): Buffer {
    const start = headerRoom - headerBytesFor(payloadBytes);
    const memory = this.#memory;
    memory[start] = final | opcode;
    if (payloadBytes <= 125) {
      memory[start + 1] = masked | payloadBytes;
    } else if (payloadBytes <= 0xff_ff) {
      memory[start + 1] = masked | 126;
      memory.writeUInt16BE(payloadBytes, start + 2);
    } else {
      memory[start + 1] = masked | 127;
      memory.writeBigUInt64BE(BigInt(payloadBytes), start + 2);
    }
    this.#applyMask(payloadBytes, masking);
    return memory.subarray(start, headerRoom + payloadBytes);
  }

  #applyMask(payloadBytes: number, masking: Masking): void {
    if (masking === 'random') randomFillSync(this.#mask);
    const [mask = 0] = this.#mask;
    this.#memory.set(new Uint8Array(this.#mask.buffer), headerRoom - maskBytes);
    if (mask === 0) return;
    const words = this.#words;
    // Four bytes at a time: a byte at a time costs ten times as much.
    const count = Math.ceil(payloadBytes / maskBytes);
    for (let at = 0; at < count; at++) words[at] = (words[at] ?? 0) ^ mask;
  }
}

function headerBytesFor(payloadBytes: number): number {
  const lengthBytes = payloadBytes <= 125 ? 0 : payloadBytes <= 0xff_ff ? 2 : 8;
  return 2 + lengthBytes + maskBytes;
}
