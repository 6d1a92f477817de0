import type { ByteStream } from '../bytes.ts';
import { chunkOf, endOfChunks } from './body.ts';
import type { Framing } from './body.ts';
import type { Connection } from './connection.ts';

const noBytes = new Uint8Array();
const maxJoinedBytes = 64 * 1024;

/** A body does not have the length that was announced. */
export class BodyLengthError extends Error {
  override readonly name = 'BodyLengthError';
}

/** Sends the body of one request, chunk after chunk: each is on its way before the next is asked for. */
export class BodySender {
  readonly #connection: Connection;
  readonly #framing: Framing;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #leftBytes: number;

  constructor(connection: Connection, framing: Framing) {
    this.#connection = connection;
    this.#framing = framing;
    this.#leftBytes = typeof framing === 'number' ? framing : Infinity;
  }

  /** Whether all that was announced has left. */
  get isAllSent(): boolean {
    return this.#leftBytes === 0;
  }

  /** Sends no more, and lets go of the source. */
  stop(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
  }

  /**
   * Sends the head and all of the body, unless it is stopped, or the connection is lost.
   *
   * @throws {BodyLengthError} if there is more or less than was announced, and what the body throws.
   */
  async send(head: Uint8Array, body: Uint8Array | ByteStream | undefined): Promise<void> {
    if (body === undefined || body instanceof Uint8Array) await this.#sendAtOnce(head, body);
    else await this.#sendStream(head, body);
    if (this.#isStopped) return;
    if (this.#framing === 'chunked') {
      await this.#write([endOfChunks()], Infinity);
    } else if (this.#leftBytes > 0) {
      throw new BodyLengthError(`${this.#leftBytes} announced bytes are missing`);
    }
  }

  async #sendAtOnce(head: Uint8Array, body: Uint8Array = noBytes): Promise<void> {
    // One packet for what is small: its answer comes the sooner.
    const isSmall = body.byteLength <= maxJoinedBytes;
    await this.#write(isSmall ? [Buffer.concat([head, body])] : [head, body], body.byteLength);
  }

  async #sendStream(head: Uint8Array, body: ByteStream): Promise<void> {
    await this.#write([head], 0);
    for await (const chunk of body) {
      if (this.#isStopped) return;
      const parts = this.#framing === 'chunked' ? chunkOf(chunk) : [chunk];
      await this.#write(parts, chunk.byteLength);
      if (this.#isStopped) return;
    }
  }

  /** A connection that is lost is told of by whoever reads the answer. */
  async #write(parts: readonly Uint8Array[], countedBytes: number): Promise<void> {
    if (countedBytes > this.#leftBytes) throw new BodyLengthError('it has more than was announced');
    const writing = Promise.all(parts.map((part) => this.#connection.write(part)));
    await Promise.race([writing.catch(() => this.stop()), this.#stopped.promise]);
    if (this.#isStopped) return;
    this.#leftBytes = countedBytes === Infinity ? 0 : this.#leftBytes - countedBytes;
  }
}
