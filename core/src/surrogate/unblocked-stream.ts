import { Duplex } from 'node:stream';

/**
 * Completes every write at once, and goes on reading whatever becomes of it.
 *
 * `node:http2` does not read while a write is under way. Two ends that both send more than the pipe
 * between them holds would therefore wait for each other for ever. What is held here instead is
 * bounded by the window that the other end grants for the whole connection.
 *
 * @see https://github.com/nodejs/node/blob/v24.x/src/node_http2.cc `Http2Session::MaybeStopReading`
 */
export class UnblockedStream extends Duplex {
  readonly #stream: Duplex;

  /** @param stream Is read, written, ended and destroyed with this one. */
  constructor(stream: Duplex) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('end', () => this.push(null));
    stream.once('error', (error) => this.destroy(error));
    stream.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#stream.write(chunk);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy(error ?? undefined);
    done(error);
  }
}
