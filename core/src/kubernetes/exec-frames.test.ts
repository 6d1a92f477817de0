import { describe, expect, it } from 'vitest';

import { stdinMessages, Tail } from './exec-frames.ts';

describe('stdinMessages()', () => {
  it.each([[[0]], [[1]], [[131_072]], [[131_073]], [[10, 20, 0, 30]], [[70_000, 70_000, 300_000]]])(
    'packs chunks of %o bytes without loss into messages of at most 128 KiB',
    (sizes) => {
      const chunks = sizes.map((size, at) => Buffer.alloc(size, at + 1));
      const messages = [...stdinMessages(chunks)];
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(messages).toHaveLength(Math.ceil(total / 131_072));
      expect(messages.every((message) => message[0] === 0)).toBe(true);
      const payload = Buffer.concat(messages.map((message) => message.subarray(1)));
      expect(payload.equals(Buffer.concat(chunks))).toBe(true);
    },
  );
});

describe('Tail', () => {
  it('keeps the end', () => {
    const tail = new Tail(4);
    for (const text of ['ab', 'cde', 'f']) tail.push(Buffer.from(text));
    expect(tail.toString()).toBe('cdef');
  });
});
