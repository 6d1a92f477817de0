import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { mapConcurrently } from './concurrency.ts';

describe('mapConcurrently()', () => {
  it('keeps the order, and to the limit', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([3, 1, 2, 0, 1], 2, async (item) => {
      most = Math.max(most, ++running);
      await delay(item);
      running--;
      return item * 10;
    });
    expect(results).toEqual([30, 10, 20, 0, 10]);
    expect(most).toBe(2);
  });

  it('begins nothing after a failure, and waits for what has begun', async () => {
    const ended: number[] = [];
    const failing = mapConcurrently([0, 5, 1, 1], 2, async (item) => {
      if (item === 0) throw new Error('first');
      await delay(item);
      ended.push(item);
    });
    await expect(failing).rejects.toThrow('first');
    expect(ended).toEqual([5]);
  });
});
