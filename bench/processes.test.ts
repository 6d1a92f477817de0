import { describe, expect, it } from 'vitest';

import { parseStat } from './processes.ts';

describe('parseStat()', () => {
  it('finds the times behind a name that looks like fields', () => {
    const line = '7 (a) b (c) S 1 7 7 0 -1 4194304 5 6 0 0 120 30 4 6 20 0 1 0 99 0 0';
    expect(parseStat(line)).toEqual({ own: 1.5, children: 0.1 });
  });

  it('knows nothing of a process that has gone', () => {
    expect(parseStat('')).toBeUndefined();
  });
});
