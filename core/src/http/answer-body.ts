import { readBody } from './body.ts';
import type { Framing } from './body.ts';
import type { MessageReader } from './message-reader.ts';

/** Up to here, reading the rest of an answer is cheaper than another connection. */
const maxDrainedBytes = 64 * 1024;
const drainTimeoutMs = 1_000;

/** What the body of an answer needs of its exchange. */
export interface AnswerBodyOptions {
  /** What its reader is told when the connection fails. */
  readonly failure: (cause: unknown) => unknown;
  /** Called once, at its end. @param isWhole Whether nothing of it is left on the connection. */
  readonly end: (isWhole: boolean) => void;
}

/** The body of an answer, read once; each chunk is valid until the next one is asked for. */
export class AnswerBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #parts: AsyncIterator<Uint8Array>;
  readonly #framing: Framing;
  readonly #options: AnswerBodyOptions;
  #readBytes = 0;
  #isReading = false;
  #isOver = false;
  /** Whether its reader, too, has seen the end of it. */
  #isWhole = false;

  constructor(reader: MessageReader, framing: Framing, options: AnswerBodyOptions) {
    this.#parts = readBody(reader, framing)[Symbol.asyncIterator]();
    this.#framing = framing;
    this.#options = options;
    if (framing !== 0) return;
    this.#isWhole = true;
    this.#finish(true);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isWhole) return { done: true, value: undefined };
    if (this.#isOver) throw this.#options.failure(new Error('the answer was let go of'));
    const part = await this.#read();
    if (part) return { done: false, value: part };
    this.#isWhole = true;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#finish(false);
    return { done: true, value: undefined };
  }

  /** Lets go of the rest. A short one is read, so that the connection can serve again. */
  async discard(): Promise<void> {
    if (this.#isOver) return;
    const isLong = typeof this.#framing === 'number' && this.#framing > maxDrainedBytes;
    if (isLong || this.#isReading) {
      this.#finish(false);
      return;
    }
    const timer = setTimeout(() => this.#finish(false), drainTimeoutMs);
    try {
      const enough = this.#readBytes + maxDrainedBytes;
      while (!this.#isOver && this.#readBytes < enough && (await this.#read()));
    } catch {
      // How the connection took it concerns nobody.
    } finally {
      clearTimeout(timer);
      this.#finish(false);
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    this.#isReading = true;
    try {
      const { done, value } = await this.#parts.next();
      if (done) {
        this.#finish(true);
        return undefined;
      }
      this.#readBytes += value.byteLength;
      return value;
    } catch (error) {
      const failure = this.#options.failure(error);
      this.#finish(false);
      throw failure;
    } finally {
      this.#isReading = false;
    }
  }

  #finish(isWhole: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.end(isWhole);
  }
}
