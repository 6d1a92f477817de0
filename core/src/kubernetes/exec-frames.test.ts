import { describe, expect, it } from 'vitest';

import { StdinMessages, Tail } from './exec-frames.ts';

describe('StdinMessages', () => {
  it.each([[[0]], [[1]], [[131_072]], [[131_073]], [[10, 20, 0, 30]], [[70_000, 70_000, 300_000]]])(
    'packs chunks of %o bytes without loss into messages of at most 128 KiB',
    (sizes) => {
      const chunks = sizes.map((size, at) => Buffer.alloc(size, at + 1));
      const messages = [...new StdinMessages().pack(chunks)];
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(messages).toHaveLength(Math.ceil(total / 131_072));
      expect(messages.every((message) => message[0] === 0)).toBe(true);
      const payload = Buffer.concat(messages.map((message) => message.subarray(1)));
      expect(payload.equals(Buffer.concat(chunks))).toBe(true);
    },
  );

  it('uses a message again that was given back, and none that was not', () => {
    const messages = new StdinMessages();
    const pack = (text: string): Buffer =>
      [...messages.pack([Buffer.from(text)])][0] ?? Buffer.of();
    const [first, second] = [pack('first'), pack('second')];
    expect(second.buffer).not.toBe(first.buffer);
    messages.giveBack(first);
    const third = pack('a third one');
    expect(third.buffer).toBe(first.buffer);
    expect([second, third].map(String)).toEqual(['\0second', '\0a third one']);
  });
});

describe('Tail', () => {
  it('keeps the end', () => {
    const tail = new Tail(4);
    for (const text of ['ab', 'cde', 'f']) tail.push(Buffer.from(text));
    expect(tail.toString()).toBe('cdef');
  });
});
