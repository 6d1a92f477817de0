import type { ByteStream } from '../bytes.ts';
import { ContentMismatchError } from '../oci/index.ts';

/** A stream that is sent in several requests, one piece after the other. */
export class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #name: string;
  #rest: Uint8Array | undefined;
  #leftBytes: number;

  /**
   * @param sizeBytes Of all pieces together.
   * @param name What it is, for the error.
   */
  constructor(source: ByteStream, sizeBytes: number, name: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#leftBytes = sizeBytes;
    this.#name = name;
  }

  /**
   * The next so many bytes.
   *
   * The last piece ends only after the source has: one that proves its content says so at its end.
   *
   * @throws {ContentMismatchError} if the source ends before, or has more than it should.
   */
  async *next(sizeBytes: number): AsyncGenerator<Uint8Array, void> {
    for (let wanted = sizeBytes; wanted > 0;) {
      const chunk = this.#rest ?? (await this.#read());
      if (!chunk) throw this.#mismatch(`ended ${this.#leftBytes} bytes too early`);
      let part = chunk.subarray(0, wanted);
      this.#rest = part.byteLength < chunk.byteLength ? chunk.subarray(wanted) : undefined;
      wanted -= part.byteLength;
      this.#leftBytes -= part.byteLength;
      // Before the last bytes leave: with them the other side has a whole. Reading may overwrite them.
      if (this.#leftBytes === 0) part = Buffer.from(part);
      if (this.#leftBytes === 0 && (this.#rest ?? (await this.#read()))) {
        throw this.#mismatch('has more bytes than it should');
      }
      yield part;
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { value, done } = await this.#source.next();
      if (done) return undefined;
      if (value.byteLength > 0) return value;
    }
  }

  #mismatch(state: string): ContentMismatchError {
    return new ContentMismatchError(`Cannot send ${this.#name}: it ${state}`);
  }
}
