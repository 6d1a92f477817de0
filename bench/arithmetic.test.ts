import { describe, expect, it } from 'vitest';

import { isMet, median, medianRatio } from './arithmetic.ts';

describe('median()', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 100], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('refuses no values', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('medianRatio()', () => {
  it('compares within a round, so that one slow round does not count', () => {
    expect(medianRatio([1, 20, 1.1], [2, 40, 2])).toBe(0.5);
  });

  it('refuses rounds that have no pair', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(/2 values with 1/);
  });
});

describe('isMet()', () => {
  it.each([
    [{ atMost: 1.1 }, 1.1, true],
    [{ atMost: 1.1 }, 1.11, false],
    [{ atLeast: 0.8 }, 0.8, true],
    [{ atLeast: 0.8 }, 0.79, false],
    [{ atMost: 1 }, Number.NaN, false],
    [{ atLeast: 1 }, Number.NaN, false],
  ])('%j with %d: %s', (limit, actual, expected) => {
    expect(isMet({ what: 'a bar', actual, limit })).toBe(expected);
  });
});
