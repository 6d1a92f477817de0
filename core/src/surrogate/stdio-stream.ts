import { Duplex } from 'node:stream';
import type { Readable, Writable } from 'node:stream';

/**
 * Stdin and stdout as one stream, without ever closing either.
 *
 * A container runtime closes an exec's stdin as soon as the program closes its stdout, and a client
 * whose bytes nobody reads hangs: so what still arrives after the end is read and dropped.
 *
 * A chunk that it hands on is valid for the length of the event: stdin may read into the same memory again.
 *
 * @see https://github.com/containerd/containerd/issues/13934
 */
export class StdioStream extends Duplex {
  readonly #stdin: Readable;
  readonly #stdout: Writable;

  constructor(stdin: Readable, stdout: Writable) {
    super({ allowHalfOpen: true });
    this.#stdin = stdin;
    this.#stdout = stdout;
    stdin.on('data', (chunk: Uint8Array) => {
      if (!this.destroyed && !this.push(this.#kept(chunk))) stdin.pause();
    });
    stdin.once('end', () => this.push(null));
    stdin.once('error', (error) => this.destroy(error));
    stdout.once('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#stdin.resume();
  }

  /** Handed on at once, it need not outlive this turn; else a copy: stdin may overwrite it. */
  #kept(chunk: Uint8Array): Uint8Array {
    const isHandedOn = this.readableFlowing === true && this.readableLength === 0;
    return isHandedOn ? chunk : Buffer.from(chunk);
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#stdout.write(chunk, done);
  }

  override _writev(
    chunks: readonly { chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void {
    const bytes = chunks.map(({ chunk }) => chunk);
    this.#stdout.cork();
    for (const chunk of bytes.slice(0, -1)) this.#stdout.write(chunk);
    this.#stdout.write(bytes.at(-1) ?? new Uint8Array(), done);
    this.#stdout.uncork();
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stdin.resume();
    done(error);
  }
}
