import { describe, expect, it } from 'vitest';

import { describeBytes, describeDuration } from './quantities.ts';

describe('describeBytes()', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [5 * 1024 ** 2, '5.0 MiB'],
    [3.5 * 1024 ** 3, '3.5 GiB'],
  ])('says %d as %s', (bytes, text) => {
    expect(describeBytes(bytes)).toBe(text);
  });
});

describe('describeDuration()', () => {
  it.each([
    [420, '0.4 s'],
    [59_999, '1m00s'],
    [119_900, '2m00s'],
    [125_000, '2m05s'],
  ])('says %d ms as %s', (milliseconds, text) => {
    expect(describeDuration(milliseconds)).toBe(text);
  });
});
