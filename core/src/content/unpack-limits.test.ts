import { describe, expect, it } from 'vitest';

import { failureOf, inChunks } from './test/fixtures.ts';
import { UnpackBudget } from './unpack-limits.ts';

/** Streams one buffer again and again: gigabytes that take neither memory nor time. */
async function* again(chunk: Uint8Array, times: number): AsyncGenerator<Uint8Array, void> {
  for (let time = 0; time < times; time++) yield chunk;
}

async function pass(budget: UnpackBudget, mebibytes: number, packedBytes: number): Promise<number> {
  let bytes = 0;
  const content = again(Buffer.alloc(1024 * 1024), mebibytes);
  for await (const chunk of budget.counted(content, packedBytes)) bytes += chunk.byteLength;
  return bytes;
}

describe('UnpackBudget', () => {
  it('refuses a bomb: a gibibyte and more out of little', async () => {
    expect(await pass(new UnpackBudget(), 1024, 1000)).toBe(1024 ** 3);
    expect(await failureOf(pass(new UnpackBudget(), 1025, 1000))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/a layer of 1000 bytes has more than 200 times as many/),
    });
  });

  it('lets through what is large and honest', async () => {
    expect(await pass(new UnpackBudget(), 2000, 1024 ** 3)).toBe(2000 * 1024 ** 2);
  });

  it('counts all layers together', async () => {
    const budget = new UnpackBudget({ maxBytes: 10, maxEntries: 2 });
    await Array.fromAsync(budget.counted(inChunks(Buffer.alloc(9)), 9));
    const second = Array.fromAsync(budget.counted(inChunks(Buffer.alloc(2)), 2));
    expect(await failureOf(second)).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    budget.countEntry();
    budget.countEntry();
    expect(() => budget.countEntry()).toThrow(/more than 2 entries/);
  });
});
