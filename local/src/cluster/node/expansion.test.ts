import { describe, expect, it } from 'vitest';

import { expand } from './expansion.ts';

describe('expand()', () => {
  it.each([
    ['$(A)', 'one'],
    ['--a=$(A),$(B)', '--a=one,two'],
    ['$(NONE)', '$(NONE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$A $', '$A $'],
    ['$(toString)', '$(toString)'],
    ['$(A', '$(A'],
  ])('makes of %s what the kubelet makes of it', (text, expected) => {
    expect(expand(text, { A: 'one', B: 'two' })).toBe(expected);
  });
});
