/** Memory that is read into again and again. */
export type Block = Buffer;

/** How much of it there is. */
export interface PieceMemoryOptions {
  readonly blockBytes: number;
  /** For all pieces together, and for each at most. */
  readonly blocks: number;
  readonly blocksOfPiece: number;
  /** While one upload is alone: others would take memory for their connections, too. */
  readonly blocksAlone: number;
}

/** Of one upload: one is filled while another is under way. */
const piecesAlone = 2;

interface Waiter {
  readonly count: number;
  readonly resolve: (blocks: Block[]) => void;
}

/**
 * The memory of all uploads of a bridge together: what one of them has not got yet, it waits for.
 *
 * Who holds blocks of what is not on its way yet takes more of them with {@link tryTake} only, and
 * sends what it has where there are none: so nobody waits for somebody who waits.
 */
export class PieceMemory {
  readonly blockBytes: number;
  /** What any upload can count on. */
  readonly totalBytes: number;
  readonly #options: PieceMemoryOptions;
  readonly #free: Block[] = [];
  readonly #waiting: Waiter[] = [];
  readonly #onWanted = new Set<() => void>();
  #lentBlocks = 0;
  #pieces = 0;

  constructor(options: PieceMemoryOptions) {
    this.blockBytes = options.blockBytes;
    this.totalBytes = options.blockBytes * options.blocks;
    this.#options = options;
  }

  /** How large a piece may become at present. */
  get maxPieceBytes(): number {
    const { blocksOfPiece, blocksAlone } = this.#options;
    return this.blockBytes * (this.#isForMany ? blocksOfPiece : blocksAlone / piecesAlone);
  }

  /** Whether somebody waits for memory. */
  get isWanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Tells whoever fills a piece that somebody waits for memory. @returns Ends it. */
  watch(onWanted: () => void): () => void {
    this.#onWanted.add(onWanted);
    return () => void this.#onWanted.delete(onWanted);
  }

  /** So many blocks for another piece, first come, first served. */
  async take(count: number): Promise<Block[]> {
    this.#pieces++;
    if (!this.isWanted && this.#freeBlocks >= count) return this.#pick(count);
    const { promise, resolve } = Promise.withResolvers<Block[]>();
    this.#waiting.push({ count, resolve });
    for (const each of this.#onWanted) each();
    return await promise;
  }

  /** One more block, unless others wait for one, or there is none. */
  tryTake(): Block | undefined {
    if (this.isWanted || this.#freeBlocks <= 0) return undefined;
    return this.#pick(1)[0];
  }

  /** Gives all blocks of a piece back. */
  give(blocks: readonly Block[]): void {
    this.#pieces--;
    this.#lentBlocks -= blocks.length;
    this.#free.push(...blocks);
    // What one alone may have is too much where there are many.
    this.#free.length = Math.min(this.#free.length, Math.max(0, this.#freeBlocks));
    for (
      let [next] = this.#waiting;
      next && next.count <= this.#freeBlocks;
      [next] = this.#waiting
    ) {
      this.#waiting.shift();
      next.resolve(this.#pick(next.count));
    }
  }

  get #freeBlocks(): number {
    const { blocks, blocksAlone } = this.#options;
    return (this.#isForMany ? blocks : blocksAlone) - this.#lentBlocks;
  }

  get #isForMany(): boolean {
    return this.#pieces > piecesAlone;
  }

  #pick(count: number): Block[] {
    this.#lentBlocks += count;
    return Array.from(
      { length: count },
      () => this.#free.pop() ?? Buffer.allocUnsafeSlow(this.blockBytes),
    );
  }
}
