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
});
