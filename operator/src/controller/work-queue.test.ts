import { describe, expect, it } from 'vitest';

import { retryDelayMs, WorkQueue } from './work-queue.ts';

describe('WorkQueue', () => {
  it('hands out in order, and each key once, however often it is wanted', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
    const next = queue.take();
    queue.close();
    expect(await next).toBeUndefined();
  });

  it('gives a key to one worker at a time, and again if it was wanted meanwhile', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.add('a');
    queue.add('b');
    expect(await queue.take()).toBe('b');
    queue.done('a');
    expect(await queue.take()).toBe('a');
    queue.close();
  });

  it('wakes a worker that waits', async () => {
    const queue = new WorkQueue();
    const next = queue.take();
    queue.add('a');
    expect(await next).toBe('a');
    queue.add('a');
    queue.done('a');
    expect(await queue.take()).toBe('a');
    queue.close();
  });

  it('hands out later what is wanted later, at the earliest of the times', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 60_000);
    queue.addAfter('a', 1);
    queue.addAfter('a', 60_000);
    expect(await queue.take()).toBe('a');
    queue.close();
  });

  it('waits longer after each failure, and forgets when told to', () => {
    const queue = new WorkQueue();
    expect([queue.retry('a'), queue.retry('a'), queue.retry('a')]).toEqual([5, 10, 20]);
    queue.forget('a');
    expect(queue.retry('a')).toBe(5);
    queue.close();
  });

  it('slows all retries together down after a hundred', () => {
    const queue = new WorkQueue();
    const delays = Array.from({ length: 120 }, (_, index) => queue.retry(`key${index}`));
    expect(delays.slice(0, 90)).toEqual(Array.from({ length: 90 }, () => 5));
    expect(delays.at(-1)).toBeGreaterThan(1000);
    queue.close();
  });

  it('is over once it is closed', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.close();
    queue.add('b');
    expect(await queue.take()).toBeUndefined();
  });
});

describe('retryDelayMs()', () => {
  it('goes from 5 ms to a minute', () => {
    expect([0, 1, 2, 13, 14, 5000].map(retryDelayMs)).toEqual([5, 10, 20, 40_960, 60_000, 60_000]);
  });
});
