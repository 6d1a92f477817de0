import { describe, expect, it } from 'vitest';

import { diffOf } from './diff.ts';

const lines = (...numbers: (number | string)[]): string => numbers.map((n) => `${n}\n`).join('');

describe('diffOf()', () => {
  it('shows what changes, with what is around it, and says what it leaves out', () => {
    const before = lines(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const after = lines(1, 2, 3, 4, 'five', 6, 7, 8, 9, 10, 11, 12, 13);
    expect(diffOf(before, after).split('\n')).toEqual([
      '  2',
      '  3',
      '  4',
      '- 5',
      '+ five',
      '  6',
      '  7',
      '  8',
      '  …',
      '  10',
      '  11',
      '  12',
      '+ 13',
    ]);
  });

  it('is empty where nothing changes, and whole where nothing was', () => {
    expect(diffOf('a\n', 'a\n')).toBe('');
    expect(diffOf('', 'a\nb\n')).toBe('+ a\n+ b');
    expect(diffOf('a\nb\n', '')).toBe('- a\n- b');
  });

  it('keeps the longest part that stays', () => {
    expect(diffOf(lines('a', 'b', 'c', 'd'), lines('a', 'x', 'c', 'y', 'd'))).toBe(
      '  a\n- b\n+ x\n  c\n+ y\n  d',
    );
  });
});
