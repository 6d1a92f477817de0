import { describe, expect, it } from 'vitest';

import { Tail } from './exec-frames.ts';

describe('Tail', () => {
  it('keeps the end', () => {
    const tail = new Tail(4);
    for (const text of ['ab', 'cde', 'f']) tail.push(Buffer.from(text));
    expect(tail.toString()).toBe('cdef');
  });
});
