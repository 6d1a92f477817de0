import { Duplex } from 'node:stream';

/** Held of what is written before a write has to wait; the kernel and the pipe hold more. */
const heldBytes = 256 * 1024;

/**
 * Lets a write wait for the stream below only while there is nothing to read.
 *
 * `node:http2` does not read while a write is under way. Two ends that both send more than the pipe
 * between them holds would therefore wait for each other for ever: so what arrives ends the wait.
 * What is held here is then bounded by the window that the other end grants for the whole
 * connection; as long as only one side sends, by {@link heldBytes}.
 *
 * @see https://github.com/nodejs/node/blob/v24.x/src/node_http2.cc `Http2Session::MaybeStopReading`
 */
export class UnblockedStream extends Duplex {
  readonly #stream: Duplex;
  #waiting: (() => void) | undefined;

  /** @param stream Is read, written, ended and destroyed with this one. */
  constructor(stream: Duplex) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => {
      if (!this.push(chunk)) stream.pause();
      this.#goOn();
    });
    stream.once('end', () => {
      this.push(null);
      this.#goOn();
    });
    stream.once('error', (error) => this.destroy(error));
    stream.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#stream.write(chunk, () => {
      if (this.#stream.writableLength < heldBytes) this.#goOn();
    });
    this.#waiting = done;
    const hasRoom = this.#stream.writableLength < heldBytes;
    if (hasRoom || this.readableLength > 0 || this.#stream.readableEnded) this.#goOn();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy(error ?? undefined);
    this.#goOn();
    done(error);
  }

  #goOn(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }
}
