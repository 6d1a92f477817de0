/** Memory that is read into again and again. */
export type Block = Buffer;

/** How much of it there is. */
export interface PieceMemoryOptions {
  readonly blockBytes: number;
  readonly blocks: number;
}

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
  readonly totalBytes: number;
  readonly #free: Block[] = [];
  readonly #waiting: Waiter[] = [];
  readonly #onWanted = new Set<() => void>();
  #unmadeBlocks: number;

  constructor({ blockBytes, blocks }: PieceMemoryOptions) {
    this.blockBytes = blockBytes;
    this.totalBytes = blockBytes * blocks;
    this.#unmadeBlocks = blocks;
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

  /** So many blocks, first come, first served. */
  async take(count: number): Promise<Block[]> {
    if (!this.isWanted && this.#freeBlocks >= count) return this.#pick(count);
    const { promise, resolve } = Promise.withResolvers<Block[]>();
    this.#waiting.push({ count, resolve });
    for (const each of this.#onWanted) each();
    return await promise;
  }

  /** One more block, unless others wait for one, or there is none. */
  tryTake(): Block | undefined {
    if (this.isWanted || this.#freeBlocks === 0) return undefined;
    return this.#pick(1)[0];
  }

  /** Gives blocks back. */
  give(blocks: readonly Block[]): void {
    this.#free.push(...blocks);
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
    return this.#free.length + this.#unmadeBlocks;
  }

  #pick(count: number): Block[] {
    return Array.from({ length: count }, () => this.#free.pop() ?? this.#make());
  }

  #make(): Block {
    this.#unmadeBlocks--;
    return Buffer.allocUnsafeSlow(this.blockBytes);
  }
}
