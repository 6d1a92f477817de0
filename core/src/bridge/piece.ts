import type { ByteStream } from '../bytes.ts';
import type { Block, PieceMemory } from './piece-memory.ts';

/** Small enough that what encrypts it on its way holds little. */
const sliceBytes = 256 * 1024;

/** The bytes of one request to the registry, kept until it has answered. */
export class Piece {
  sizeBytes = 0;
  readonly #memory: PieceMemory;
  #blocks: Block[];

  /** @param blocks Belong to the piece until it is released. */
  constructor(memory: PieceMemory, blocks: Block[]) {
    this.#memory = memory;
    this.#blocks = blocks;
  }

  /** Copies as much of `chunk` as there is room for. @returns the rest. */
  fill(chunk: Uint8Array): Uint8Array {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const { blockBytes } = this.#memory;
      const block = this.#blocks[Math.floor(this.sizeBytes / blockBytes)];
      if (!block) return rest;
      const at = this.sizeBytes % blockBytes;
      const part = rest.subarray(0, blockBytes - at);
      block.set(part, at);
      this.sizeBytes += part.byteLength;
      rest = rest.subarray(part.byteLength);
    }
    return rest;
  }

  /** Makes room for more, also beyond what is usual if it needs so much. @returns Whether that could be. */
  grow(minBytes: number): boolean {
    const { blockBytes, maxPieceBytes } = this.#memory;
    if (this.#blocks.length * blockBytes >= Math.max(minBytes, maxPieceBytes)) return false;
    const block = this.#memory.tryTake();
    if (block) this.#blocks.push(block);
    return block !== undefined;
  }

  /** Its bytes from an offset on; may be read several times, until it is released. */
  async *from(offset: number): ByteStream {
    const { blockBytes } = this.#memory;
    for (let at = offset; at < this.sizeBytes;) {
      const block = this.#blocks[Math.floor(at / blockBytes)];
      if (!block) throw new TypeError('Cannot read a piece that was released');
      const start = at % blockBytes;
      const end = Math.min(blockBytes, start + sliceBytes, start + this.sizeBytes - at);
      yield block.subarray(start, end);
      at += end - start;
    }
  }

  /** Gives its memory back. */
  release(): void {
    this.#memory.give(this.#blocks);
    this.#blocks = [];
  }
}
