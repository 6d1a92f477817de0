import type { ByteStream } from '../bytes.ts';
import type { PieceMemory } from './piece-memory.ts';
import { Piece } from './piece.ts';

/** So long a tool may send nothing while others wait for the memory that it holds. */
const patienceMs = 20;

/** Cuts the body of a tool's request into pieces, as large as there is memory for. */
export class PieceSource {
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #memory: PieceMemory;
  readonly #minBytes: number;
  #rest: Uint8Array | undefined;
  #reading: Promise<Uint8Array | undefined> | undefined;

  /** @param minBytes The registry refuses smaller ones, but for the last. */
  constructor(body: ByteStream, memory: PieceMemory, minBytes = 0) {
    this.#body = body[Symbol.asyncIterator]();
    this.#memory = memory;
    this.#minBytes = minBytes;
  }

  /**
   * The next piece; `undefined` at the end. Whoever gets it releases it.
   *
   * @throws what the body throws, once what came before it has been given.
   */
  async next(): Promise<Piece | undefined> {
    // Memory is asked for once there is something to put into it: a tool may take its time.
    const first = await this.#read();
    if (!first) return undefined;
    const count = Math.ceil(this.#minBytes / this.#memory.blockBytes) || 1;
    const piece = new Piece(this.#memory, await this.#memory.take(count));
    this.#rest = this.#put(first, piece);
    while (!this.#rest) {
      const chunk = await this.#readSoon(piece).catch(() => undefined);
      if (!chunk) break;
      this.#rest = this.#put(chunk, piece);
    }
    return piece;
  }

  /** Lets go of the body. */
  async close(): Promise<void> {
    await this.#body.return?.();
  }

  /** @returns what there was no room for. */
  #put(chunk: Uint8Array, piece: Piece): Uint8Array | undefined {
    let rest = piece.fill(chunk);
    while (rest.byteLength > 0 && piece.grow(this.#minBytes)) rest = piece.fill(rest);
    return rest.byteLength > 0 ? rest : undefined;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) return rest;
    const chunk = await this.#begun();
    this.#reading = undefined;
    return chunk;
  }

  /** What comes next; nothing if others wait for memory, and the tool takes its time. */
  async #readSoon({ sizeBytes }: Piece): Promise<Uint8Array | undefined> {
    if (sizeBytes < this.#minBytes) return await this.#read();
    const reading = this.#begun();
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    let timer: NodeJS.Timeout | undefined;
    const hurry = (): void => {
      timer ??= setTimeout(resolve, patienceMs, undefined);
    };
    const stop = this.#memory.watch(hurry);
    if (this.#memory.isWanted) hurry();
    try {
      const chunk = await Promise.race([reading, late]);
      if (chunk) this.#reading = undefined;
      return chunk;
    } finally {
      stop();
      clearTimeout(timer);
    }
  }

  /** The one reading that is under way: what it brings, or fails with, is kept for who asks next. */
  #begun(): Promise<Uint8Array | undefined> {
    if (this.#reading) return this.#reading;
    this.#reading = this.#body.next().then(({ value, done }) => (done ? undefined : value));
    this.#reading.catch(() => {}); // told to who asks next
    return this.#reading;
  }
}
