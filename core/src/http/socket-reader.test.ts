import { describe, expect, it } from 'vitest';

import { SocketReader } from './socket-reader.ts';

describe('SocketReader', () => {
  it('hands over as one chunk what comes at once in pieces', async () => {
    const reader = new SocketReader();
    const next = reader.next();
    for (const piece of ['a', 'bc', 'd']) reader.feed(Buffer.from(piece));
    const { value } = await next;
    expect(String(value)).toBe('abcd');
  });

  it('wakes nobody for a part of what is coming, unless it is large, or the last', async () => {
    const reader = new SocketReader();
    const sizes: number[] = [];
    const reading = (async () => {
      for await (const chunk of reader) sizes.push(chunk.byteLength);
    })();
    const part = Buffer.alloc(16 * 1024);
    const feed = async (isMoreComing: boolean): Promise<void> => {
      reader.feed(part, isMoreComing);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    };
    await feed(true);
    expect(sizes).toEqual([]);
    await feed(false);
    expect(sizes).toEqual([part.byteLength, part.byteLength]);
    for (let at = 0; at < 8; at++) await feed(true);
    expect(sizes.slice(2)).toEqual([8 * part.byteLength]);
    await feed(true);
    reader.end();
    await reading;
    expect(sizes.slice(3)).toEqual([part.byteLength]);
  });

  it('says what it was ended with behind what was there', async () => {
    const reader = new SocketReader();
    reader.feed(Buffer.from('half'), true);
    reader.end(new RangeError('cut'));
    expect(String((await reader.next()).value)).toBe('half');
    await expect(reader.next()).rejects.toThrow(RangeError);
  });
});
