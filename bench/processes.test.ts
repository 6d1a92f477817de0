import { describe, expect, it } from 'vitest';

import { parseBusySeconds, parseStat } from './processes.ts';

describe('parseBusySeconds()', () => {
  it('adds up what was spent, and not what was waited for', () => {
    const text = 'cpu  100 20 300 40000 5000 6 7 800 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    expect(parseBusySeconds(text)).toBeCloseTo(4.33);
  });
});

describe('parseStat()', () => {
  it('finds the times behind a name that looks like fields', () => {
    const line = '7 (a) b (c) S 1 7 7 0 -1 4194304 5 6 0 0 120 30 4 6 20 0 1 0 99 0 0';
    expect(parseStat(line)).toEqual({ own: 1.5, children: 0.1 });
  });

  it('knows nothing of a process that has gone', () => {
    expect(parseStat('')).toBeUndefined();
  });
});
