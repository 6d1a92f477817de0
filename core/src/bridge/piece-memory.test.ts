import { describe, expect, it } from 'vitest';

import { PieceMemory } from './piece-memory.ts';
import type { Block } from './piece-memory.ts';

const options = { blockBytes: 1, blocks: 4, blocksOfPiece: 2, blocksAlone: 8 };

/** A piece of one block that takes what it may. */
async function grown(memory: PieceMemory): Promise<Block[]> {
  const blocks = await memory.take(1);
  for (let more: Block | undefined; blocks.length < memory.maxPieceBytes; blocks.push(more)) {
    more = memory.tryTake();
    if (!more) break;
  }
  return blocks;
}

describe('PieceMemory', () => {
  it('gives the two pieces of one upload more than those of several', async () => {
    const memory = new PieceMemory(options);
    const alone = [await grown(memory), await grown(memory)];
    expect(alone.map(({ length }) => length)).toEqual([4, 4]);

    const third = grown(memory);
    for (const piece of alone) memory.give(piece);
    expect(await third).toHaveLength(4);
  });

  it('lets a third piece wait while the two of one upload hold more than many may', async () => {
    const memory = new PieceMemory(options);
    const [first, second] = [await grown(memory), await grown(memory)];
    const third = memory.take(1);
    expect(memory).toMatchObject({ isWanted: true, maxPieceBytes: 2 });
    memory.give(first);
    expect(await third).toHaveLength(1);
    memory.give(second);
    memory.give(await third);
    expect(await grown(memory)).toHaveLength(4);
  });

  it('gives many no more than they may have together, whatever was given back', async () => {
    const memory = new PieceMemory(options);
    for (const piece of [await grown(memory), await grown(memory)]) memory.give(piece);
    const many = await Promise.all([1, 2, 3, 4].map(() => memory.take(1)));
    expect(memory.tryTake()).toBeUndefined();
    const fifth = memory.take(1);
    expect(memory.isWanted).toBe(true);
    memory.give(many[0] ?? []);
    expect(await fifth).toHaveLength(1);
  });
});
