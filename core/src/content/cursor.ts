import type { FileHandle } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { readRange } from './file-bytes.ts';

/** A place in bytes that are read once, forwards: what a parser of a binary format needs. */
export interface Cursor {
  /** For messages: the file or the blob. */
  readonly what: string;
  /** Bytes that lie behind. */
  readonly position: number;
  /** The next `length` bytes; fewer only at the end. */
  take(length: number): Promise<Buffer>;
  /** Streams the next `length` bytes. @throws {ContentInvalidError} if there are fewer. */
  body(length: number): AsyncGenerator<Uint8Array, void>;
  /** Passes over `length` bytes. @throws {ContentInvalidError} if there are fewer. */
  skip(length: number): Promise<void>;
}

/** A cursor over a stream, which is read as it arrives. */
export class StreamCursor implements Cursor {
  readonly what: string;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #pending: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(source: ByteStream, what: string) {
    this.what = what;
    this.#iterator = source[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  async take(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let left = length;
    while (left > 0) {
      const part = await this.#next(left);
      if (!part) break;
      parts.push(Buffer.from(part)); // the next one may overwrite it
      left -= part.byteLength;
    }
    return Buffer.concat(parts);
  }

  async *body(length: number): AsyncGenerator<Uint8Array, void> {
    for (let left = length; left > 0;) {
      const part = await this.#next(left);
      if (!part) throw truncated(this, left);
      left -= part.byteLength;
      yield part;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.body(length));
  }

  /** Reads what is left: a digest is of all bytes, also of those behind the end mark. */
  async drain(): Promise<void> {
    while (await this.#next(Number.MAX_SAFE_INTEGER));
  }

  /** Lets go of the source before its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(atMost: number): Promise<Uint8Array | undefined> {
    while (this.#pending.byteLength === 0) {
      const { value, done } = await this.#iterator.next();
      if (done) return undefined;
      this.#pending = value;
    }
    const part = this.#pending.subarray(0, atMost);
    this.#pending = this.#pending.subarray(part.byteLength);
    this.#position += part.byteLength;
    return part;
  }
}

/** How much a file cursor reads at a time, so that small entries do not cost a call each. */
const windowBytes = 64 * 1024;

/** A cursor over an open file: what is skipped is not read. */
export class FileCursor implements Cursor {
  readonly what: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  #position = 0;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** @param size Of the file, in bytes. */
  constructor(handle: FileHandle, size: number, what: string) {
    this.#handle = handle;
    this.#size = size;
    this.what = what;
  }

  get position(): number {
    return this.#position;
  }

  async take(length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.#size - this.#position);
    await this.#fill(wanted);
    const start = this.#position - this.#windowStart;
    this.#position += wanted;
    return this.#window.subarray(start, start + wanted);
  }

  async *body(length: number): AsyncGenerator<Uint8Array, void> {
    const start = this.#position;
    await this.skip(length);
    yield* readRange(this.#handle, { start, end: start + length });
  }

  async skip(length: number): Promise<void> {
    const left = this.#position + length - this.#size;
    if (left > 0) throw truncated(this, left);
    this.#position += length;
  }

  async #fill(wanted: number): Promise<void> {
    const start = this.#position - this.#windowStart;
    if (start >= 0 && start + wanted <= this.#window.length) return;
    const end = Math.min(this.#size, this.#position + Math.max(wanted, windowBytes));
    const chunks = await Array.fromAsync(readRange(this.#handle, { start: this.#position, end }));
    this.#window = Buffer.concat(chunks);
    this.#windowStart = this.#position;
  }
}

/** Content ends too early. */
export class TruncatedError extends ContentInvalidError {}

/** Says that content ends too early. */
export function truncated({ what, position }: Cursor, missing: number): TruncatedError {
  return new TruncatedError(
    `Cannot read ${what}: it is truncated, at least ${missing} bytes are missing after byte ${position}; want the whole file`,
  );
}
