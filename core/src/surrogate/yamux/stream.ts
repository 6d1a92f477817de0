import { Duplex } from 'node:stream';

import { UnreachableError } from '../../errors.ts';
import { SocketReader } from '../../http/socket-reader.ts';
import type { DataFrame, FrameSource } from './frame-writer.ts';
import { flags, initialWindowBytes, types, YamuxError } from './frame.ts';
import type { Header } from './frame.ts';
import { maxWindowBytes, ReceiveWindow } from './receive-window.ts';
import type { WindowPool } from './receive-window.ts';

type Done = (error?: Error | null) => void;

/** What a stream needs of its session. */
export interface StreamLink {
  readonly pool: WindowPool;
  sendUpdate(stream: YamuxStream): void;
  sendData(stream: YamuxStream): void;
  /** Forgets a stream. @param reset Tells the other end that it was broken off. */
  release(stream: YamuxStream, reset: boolean): void;
}

/** Held for the window to open, before a write waits. */
const maxOutboxBytes = 128 * 1024;
const bufferBytes = 64 * 1024;
const maxWindow = 0xffff_ffff;
/** Of 256 KiB; what was granted bounds them. */
const maxInboxBlocks = maxWindowBytes / (256 * 1024) + 3;

/**
 * One stream of a session.
 *
 * Its end is the other end's FIN; a stream that was reset, or lost its session, is destroyed with
 * an error. Destroying it before both ends have ended resets it.
 */
export class YamuxStream extends Duplex implements FrameSource {
  readonly id: number;
  readonly #link: StreamLink;
  /** SYN or ACK, until it was sent. */
  #greeting: number;
  #isRemotelyClosed = false;
  #isReset = false;

  readonly #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  /** Written, and not yet gone from the transport. */
  #unsentBytes = 0;
  #onSent: (() => void) | undefined;
  #sendWindow = initialWindowBytes;
  #onRoom: Done | undefined;
  #onFinished: Done | undefined;
  #isFinished = false;

  readonly #window: ReceiveWindow;
  readonly #inbox = new SocketReader({
    maxLargeBlocks: maxInboxBlocks,
    onTaken: (bytes) => this.#grantFor(bytes),
  });
  #grant: number;

  /** @param greeting `flags.syn` where it is opened, `flags.ack` where it is accepted. */
  constructor(link: StreamLink, id: number, greeting: number) {
    super({ highWaterMark: bufferBytes, allowHalfOpen: true });
    this.id = id;
    this.#link = link;
    this.#greeting = greeting;
    this.#window = new ReceiveWindow(link.pool);
    this.#grant = this.#window.open();
    link.sendUpdate(this);
  }

  // What arrives.

  /**
   * Takes a window update.
   *
   * @throws {YamuxError} if the window would be larger than there can be.
   */
  widen(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > maxWindow) {
      throw new YamuxError(`Cannot take a window of ${this.#sendWindow} bytes: want 32 bits`);
    }
    if (this.#outboxBytes > 0) this.#link.sendData(this);
  }

  /**
   * Takes the announcement of data.
   *
   * @throws {YamuxError} if that is more than was granted, or comes behind the end.
   */
  announce(bytes: number): void {
    if (this.#isRemotelyClosed && bytes > 0) {
      throw new YamuxError(`Cannot take data of stream ${this.id}: it has ended`);
    }
    this.#window.receive(bytes);
  }

  /** Takes data, and keeps no reference to it. @param isMoreComing As its frame has announced. */
  receive(part: Buffer, isMoreComing: boolean): void {
    if (!this.destroyed) this.#inbox.feed(part, isMoreComing);
  }

  /** Takes the other end's RST. */
  reset(): void {
    this.#isReset = true;
    this.destroy(new UnreachableError('Cannot go on: the other end broke it off'));
  }

  /** Takes the other end's FIN. */
  endInput(): void {
    if (this.#isRemotelyClosed) return;
    this.#isRemotelyClosed = true;
    this.#inbox.end();
    this.#releaseIfClosed();
  }

  /**
   * What arrives, in chunks of the session's own memory: each is valid until the next one is asked
   * for. As a Node stream, it gives copies; a stream is read in one of the two ways.
   */
  async *bytes(): AsyncGenerator<Buffer, void> {
    yield* this.#inbox;
    this.push(null);
    this.resume(); // so that it closes when both ends are over
  }

  // What is sent.

  /** Settles when nothing of what was written is held any more: its memory may be used again. */
  async sent(): Promise<void> {
    while (this.#unsentBytes > 0 || (this.writableLength > 0 && !this.destroyed)) {
      await new Promise<void>((resolve) => {
        this.#onSent = resolve;
      });
    }
  }

  takeUpdate(): Header | undefined {
    const length = this.#grant;
    const greeting = this.#takeGreeting();
    if (length === 0 && greeting === 0) return undefined;
    this.#grant = 0;
    return { type: types.windowUpdate, flags: greeting, streamId: this.id, length };
  }

  takeData(maxBytes: number): DataFrame | undefined {
    const parts = this.#takeParts(Math.min(maxBytes, this.#sendWindow));
    if (parts.length === 0) return this.#takeEnd();
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#sendWindow -= length;
    if (this.#outboxBytes < maxOutboxBytes) this.#goOn();
    const header = { type: types.data, flags: 0, streamId: this.id, length };
    return { header, parts, onSent: () => this.#letGo(length) };
  }

  // What Node asks for.

  override _read(): void {
    this.#inbox.next().then(
      ({ value }) => this.push(value === undefined ? null : Buffer.from(value)),
      (error: unknown) => this.destroy(error instanceof Error ? error : undefined),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(entries: readonly { chunk: Uint8Array }[], done: Done): void {
    this.#send(
      entries.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#onFinished = done;
    this.#link.sendData(this);
  }

  override _destroy(error: Error | null, done: Done): void {
    const isUnknown = this.#greeting === flags.syn; // to the other end
    const isOver = this.#isReset || (this.#isFinished && this.#isRemotelyClosed);
    this.#outbox.length = 0;
    this.#letGo(this.#outboxBytes);
    this.#outboxBytes = 0;
    this.#inbox.end(error ?? new UnreachableError('Cannot go on: it was broken off'));
    this.#window.close();
    this.#link.release(this, !isOver && !isUnknown);
    done(error);
  }

  #takeGreeting(): number {
    const greeting = this.#greeting;
    this.#greeting = 0;
    return greeting;
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    for (const chunk of chunks) {
      this.#outbox.push(chunk);
      this.#outboxBytes += chunk.byteLength;
      this.#unsentBytes += chunk.byteLength;
    }
    this.#onRoom = done;
    this.#link.sendData(this);
    if (this.#outboxBytes < maxOutboxBytes) this.#goOn();
  }

  #takeParts(maxBytes: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let missing = Math.min(maxBytes, this.#outboxBytes); missing > 0;) {
      const first = this.#outbox[0];
      if (!first) break;
      const part = first.subarray(0, missing);
      if (part.byteLength === first.byteLength) this.#outbox.shift();
      else this.#outbox[0] = first.subarray(missing);
      parts.push(part);
      missing -= part.byteLength;
      this.#outboxBytes -= part.byteLength;
    }
    return parts;
  }

  #letGo(bytes: number): void {
    this.#unsentBytes -= bytes;
    if (this.#unsentBytes > 0) return;
    this.#onSent?.();
    this.#onSent = undefined;
  }

  #goOn(): void {
    const done = this.#onRoom;
    this.#onRoom = undefined;
    done?.();
  }

  /** Not with the last data, though that is allowed: others end the stream before they take them. */
  #takeEnd(): DataFrame | undefined {
    const done = this.#onFinished;
    if (!done || this.#outboxBytes > 0) return undefined;
    this.#onFinished = undefined;
    this.#isFinished = true;
    this.#releaseIfClosed();
    done();
    const header = { type: types.windowUpdate, flags: flags.fin, streamId: this.id, length: 0 };
    return { header, parts: [] };
  }

  #grantFor(bytes: number): void {
    this.#grant += this.#window.take(bytes);
    if (this.#grant > 0 && !this.#isRemotelyClosed && !this.destroyed) this.#link.sendUpdate(this);
  }

  #releaseIfClosed(): void {
    if (this.#isFinished && this.#isRemotelyClosed) this.#link.release(this, false);
  }
}
