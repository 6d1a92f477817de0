import { maxControlBytes, opcodes } from './websocket-frames.ts';

/** A part of what the server said. */
export interface Fragment {
  /** `binary` for every part of a message, also in continuation frames; else a control frame, whole. */
  readonly opcode: number;
  /** Points into the chunk that it came in. */
  readonly payload: Buffer;
  /** Whether this is the first part of its message. */
  readonly isFirst: boolean;
  /** Whether this is the last part of its message. */
  readonly isLast: boolean;
}

/** The server broke the rules of WebSocket. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  /** To close the connection with. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
  readonly closeCode: number;

  constructor(message: string, closeCode: 1002 | 1003 | 1009 = 1002) {
    super(`Cannot read a WebSocket frame: ${message}`);
    this.closeCode = closeCode;
  }
}

/** The frame under way. */
interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  remaining: number;
}

/**
 * Reads the frames of a server.
 *
 * Nothing is copied but headers and control frames, and nothing is held: messages are handed on in
 * the parts in which they come.
 */
export class FrameParser {
  readonly #maxMessageBytes: number;
  readonly #header = Buffer.alloc(10);
  #filled = 0;
  #wanted = 2;
  #frame: Frame | undefined;
  #control: Buffer[] = [];
  /** Bytes of the message under way; `undefined` between messages. */
  #messageBytes: number | undefined;
  #isFirst = true;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Reads the next chunk of the connection, wherever it is cut.
   *
   * @throws {FrameError}
   */
  *read(chunk: Buffer): Generator<Fragment, void> {
    let at = 0;
    while (at < chunk.byteLength) {
      if (!this.#frame) {
        at = this.#readHeader(chunk, at);
        if (this.#filled < this.#wanted) return;
        this.#frame = this.#begin();
        [this.#filled, this.#wanted] = [0, 2];
      }
      const payload = chunk.subarray(at, at + this.#frame.remaining);
      at += payload.byteLength;
      this.#frame.remaining -= payload.byteLength;
      const fragment = this.#take(this.#frame, payload);
      if (this.#frame.remaining === 0) this.#frame = undefined;
      if (fragment) yield fragment;
    }
  }

  #readHeader(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.byteLength && this.#filled < this.#wanted) {
      this.#header[this.#filled++] = chunk[at++] ?? 0;
      if (this.#filled === 2) this.#wanted = headerBytesOf(this.#header[1] ?? 0);
    }
    return at;
  }

  #begin(): Frame {
    const [first = 0, second = 0] = this.#header;
    if (first & 0x70) throw new FrameError('it has reserved bits; want no extension');
    if (second & 0x80) throw new FrameError('it is masked; want a server that does not mask');
    const opcode = first & 0x0f;
    const isFinal = Boolean(first & 0x80);
    const remaining = this.#payloadBytes(second & 0x7f);
    if (opcode >= opcodes.close) checkControl(opcode, isFinal, remaining);
    else this.#continueMessage(opcode, remaining);
    return { opcode, isFinal, remaining };
  }

  #payloadBytes(short: number): number {
    if (short < 126) return short;
    if (short === 126) return this.#header.readUInt16BE(2);
    return Number(this.#header.readBigUInt64BE(2));
  }

  #continueMessage(opcode: number, frameBytes: number): void {
    const isUnderWay = this.#messageBytes !== undefined;
    if (opcode === opcodes.text) throw new FrameError('it is text; want binary', 1003);
    if (opcode > opcodes.binary) throw new FrameError(`it has the unknown opcode ${opcode}`);
    if (isUnderWay !== (opcode === opcodes.continuation)) {
      throw new FrameError(`it ${isUnderWay ? 'interrupts' : 'continues no'} message`);
    }
    if (!isUnderWay) this.#isFirst = true;
    this.#messageBytes = (this.#messageBytes ?? 0) + frameBytes;
    if (this.#messageBytes > this.#maxMessageBytes) {
      throw new FrameError(
        `its message has ${this.#messageBytes} bytes or more; want at most ${this.#maxMessageBytes}`,
        1009,
      );
    }
  }

  #take(frame: Frame, payload: Buffer): Fragment | undefined {
    const isWhole = frame.remaining === 0;
    if (frame.opcode >= opcodes.close) return this.#takeControl(frame.opcode, payload, isWhole);
    const isLast = isWhole && frame.isFinal;
    if (isLast) this.#messageBytes = undefined;
    if (payload.byteLength === 0 && !isLast) return undefined;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return { opcode: opcodes.binary, payload, isFirst, isLast };
  }

  #takeControl(opcode: number, part: Buffer, isWhole: boolean): Fragment | undefined {
    this.#control.push(part);
    if (!isWhole) return undefined;
    const payload = Buffer.concat(this.#control);
    this.#control = [];
    return { opcode, payload, isFirst: true, isLast: true };
  }
}

function headerBytesOf(second: number): number {
  const short = second & 0x7f;
  return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8);
}

function checkControl(opcode: number, isFinal: boolean, payloadBytes: number): void {
  if (opcode > opcodes.pong) throw new FrameError(`it has the unknown opcode ${opcode}`);
  if (!isFinal) throw new FrameError('it is a part of a control frame; want a whole one');
  if (payloadBytes > maxControlBytes) {
    throw new FrameError(
      `a control frame of ${payloadBytes} bytes; want at most ${maxControlBytes}`,
    );
  }
}
