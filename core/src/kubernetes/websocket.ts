import type { Duplex } from 'node:stream';

import { shortFrame, FrameRoom, opcodes } from './websocket-frames.ts';
import type { Masking } from './websocket-frames.ts';
import { FrameError, FrameParser } from './websocket-parser.ts';
import type { Fragment } from './websocket-parser.ts';

/** Who hears what the server says, from {@link WebSocket.listen} on. */
export interface WebSocketListener {
  /** A part of a message, in the order of the bytes. */
  onPart(payload: Buffer, place: Pick<Fragment, 'isFirst' | 'isLast'>): void;
  /**
   * The last call, when nothing more will come.
   *
   * @param code 1005 if the server gave none, 1006 if the connection broke.
   * @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
   */
  onClose(code: number, cause: Error | undefined): void;
}

/** What an upgrade left. */
export interface Upgraded {
  readonly socket: Duplex;
  /** What came behind the answer. */
  readonly head: Buffer;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  readonly masking: Masking;
}

type Done = (error?: Error | null) => void;

/**
 * A larger message costs the API server and the kubelet less; beyond this hardly, and 32 MiB
 * breaks. The rest is for the channel and the header of a session's frame of 256 KiB.
 */
const maxSentBytes = 256 * 1024 + 64;
/** The API server's largest message has 32,769 bytes. */
const maxMessageBytes = 1 << 20;
/** For a server that said goodbye to take ours. */
const farewellMs = 1_000;

/**
 * The client's end of a WebSocket, as lean as the exec API allows: binary messages without
 * compression, sent in one frame each and heard in parts as they come.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455
 */
export class WebSocket {
  readonly protocol: string;
  readonly #socket: Duplex;
  readonly #masking: Masking;
  readonly #room = new FrameRoom(maxSentBytes);
  readonly #parser = new FrameParser(maxMessageBytes);
  #head: Buffer;
  #listener: WebSocketListener | undefined;
  #cause: Error | undefined;
  #isOpen = true;
  #isPonging = false;
  #lastPing: Buffer | undefined;

  constructor({ socket, head, protocol, masking }: Upgraded) {
    this.protocol = protocol;
    this.#socket = socket;
    this.#masking = masking;
    this.#head = head;
    socket.on('error', (error: Error) => (this.#cause ??= error));
    socket.once('close', () => this.#close(1006));
  }

  /** Begins to read. */
  listen(listener: WebSocketListener): void {
    this.#listener = listener;
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.once('end', () => this.#socket.destroy());
    this.#read(this.#head);
    this.#head = Buffer.of();
  }

  /** Reads nothing more from the connection; what it has read already is still handed on. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#isOpen && this.#socket.isPaused()) this.#socket.resume();
  }

  /**
   * Sends bytes in as few messages as will hold them, each behind a first byte of its own; one at a
   * time.
   *
   * A message is never continued in a second frame: the API server would take the first byte of that
   * one for a channel.
   *
   * @param done Called when the connection has taken all of them, or has failed. Only then the next
   *   call.
   */
  send(channel: number, chunks: readonly Uint8Array[], done: Done): void {
    const messages = packed(this.#room.payload, channel, chunks);
    const sendNext = (error?: Error | null): void => {
      if (error) {
        done(error);
        return;
      }
      const { value: payloadBytes } = messages.next();
      if (payloadBytes === undefined) {
        done();
        return;
      }
      this.#write(this.#room.frame(opcodes.binary, payloadBytes, this.#masking), sendNext);
    };
    sendNext();
  }

  /** Sends a message of at most 125 bytes, at any time. */
  sendShort(payload: Uint8Array, done?: Done): void {
    this.#write(shortFrame(opcodes.binary, payload, this.#masking), done);
  }

  /** Sends a ping, unless something waits to be sent: behind that it would prove nothing. */
  ping(): void {
    if (this.#socket.writableLength > 0) return;
    this.#write(shortFrame(opcodes.ping, Buffer.of(), this.#masking));
  }

  /** Drops the connection; if both have said goodbye, once that is sent. */
  terminate(): void {
    if (this.#isOpen) this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (!this.#isOpen) return;
    try {
      for (const fragment of this.#parser.read(chunk)) {
        if (fragment.opcode === opcodes.binary) this.#listener?.onPart(fragment.payload, fragment);
        else this.#onControl(fragment);
        if (!this.#isOpen || this.#socket.destroyed) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#cause = error;
      this.#sayGoodbye(error.closeCode);
      this.#close(error.closeCode);
    }
  }

  #onControl({ opcode, payload }: Fragment): void {
    if (opcode === opcodes.ping) {
      this.#pong(payload);
    } else if (opcode === opcodes.close) {
      if (payload.byteLength === 1) throw new FrameError('it has half a close code');
      const code = payload.byteLength > 0 ? payload.readUInt16BE() : undefined;
      this.#sayGoodbye(code);
      this.#close(code ?? 1005);
    }
  }

  /** One at a time, for the latest ping: a server that does not read must not fill our memory. */
  #pong(payload: Buffer): void {
    if (this.#isPonging) {
      this.#lastPing = payload;
      return;
    }
    this.#isPonging = true;
    this.#write(shortFrame(opcodes.pong, payload, this.#masking), () => {
      this.#isPonging = false;
      const last = this.#lastPing;
      this.#lastPing = undefined;
      if (last) this.#pong(last);
    });
  }

  #sayGoodbye(code: number | undefined): void {
    const payload = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) payload.writeUInt16BE(code);
    const socket = this.#socket;
    // What still comes is not for us; unread, it would keep the connection from ending.
    socket.resume();
    const overdue = setTimeout(() => socket.destroy(), farewellMs);
    socket.once('close', () => clearTimeout(overdue));
    socket.end(shortFrame(opcodes.close, payload, this.#masking), () => socket.destroy());
  }

  #write(frame: Buffer, done?: Done): void {
    if (this.#isOpen) this.#socket.write(frame, done);
    else done?.(this.#cause ?? new Error('the connection is closed'));
  }

  #close(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#listener?.onClose(code, this.#cause);
  }
}

/** Fills a payload again and again, a channel first; yields how many bytes there are in it. */
function* packed(
  payload: Buffer,
  channel: number,
  chunks: readonly Uint8Array[],
): Generator<number, void> {
  let filled = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength;) {
      if (filled === 0) payload[filled++] = channel;
      const part = chunk.subarray(from, from + payload.byteLength - filled);
      payload.set(part, filled);
      from += part.byteLength;
      filled += part.byteLength;
      if (filled < payload.byteLength) continue;
      yield filled;
      filled = 0;
    }
  }
  if (filled) yield filled;
}
