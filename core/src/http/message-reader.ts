import { MessageError, TruncatedMessageError } from './message-error.ts';

/** Reads messages off a stream, by delimiters and by lengths. */
export class MessageReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  /** @param chunks May overwrite a chunk when it is asked for the next one. */
  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether nothing of the last chunk is left. */
  get isEmpty(): boolean {
    return this.#held.byteLength === 0;
  }

  /**
   * Reads up to a delimiter, which is left out.
   *
   * @throws {MessageError} if it does not come within so many bytes, or before the end.
   */
  async until(delimiter: string, maxBytes: number): Promise<string> {
    for (let from = 0; ;) {
      const end = this.#held.indexOf(delimiter, from);
      if (end >= 0) {
        const text = this.#held.toString('latin1', 0, end);
        this.#held = this.#held.subarray(end + delimiter.length);
        return text;
      }
      if (this.#held.byteLength > maxBytes) {
        throw new MessageError(`Cannot read a message: a part of it has over ${maxBytes} bytes`);
      }
      from = Math.max(0, this.#held.byteLength - delimiter.length + 1);
      const before = Buffer.from(this.#held); // the next chunk may overwrite it
      const next = await this.#more();
      this.#held = before.byteLength === 0 ? next : Buffer.concat([before, next]);
    }
  }

  /**
   * Reads some bytes, as many as there are.
   *
   * @returns Valid until more is read; `undefined` at the end.
   */
  async part(maxBytes: number): Promise<Buffer | undefined> {
    if (this.#held.byteLength === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#held = value;
    }
    const part = this.#held.subarray(0, maxBytes);
    this.#held = this.#held.subarray(part.byteLength);
    return part;
  }

  /**
   * Reads the end.
   *
   * @throws {MessageError} if something else comes.
   */
  async end(): Promise<void> {
    if (await this.part(1)) throw new MessageError('Cannot end a message: there is more of it');
  }

  /** Reads to the end, and keeps nothing of it. */
  async drain(): Promise<void> {
    while ((await this.part(Infinity)) !== undefined);
  }

  async #more(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next();
    if (!done) return value;
    throw new TruncatedMessageError('Cannot read a message to its end: it ended early');
  }
}
