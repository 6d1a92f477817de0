import { describe, expect, it } from 'vitest';

import { SeenNonces, toleranceSeconds } from './seen-nonces.ts';

const start = 1_700_000_000;
const later = start + 2 * toleranceSeconds;

describe('SeenNonces', () => {
  it('takes a nonce once', () => {
    const nonces = new SeenNonces(start);
    expect(nonces.take('a', start, start)).toBeUndefined();
    expect(nonces.take('a', start, start)).toBe('seen');
    expect(nonces.take('b', start, start)).toBeUndefined();
    expect(nonces.take('a', start, start + toleranceSeconds)).toBe('seen');
  });

  it.each([
    ['just young enough', -toleranceSeconds, undefined],
    ['too old', -toleranceSeconds - 1, 'time'],
    ['just early enough', toleranceSeconds, undefined],
    ['too early', toleranceSeconds + 1, 'time'],
  ])('judges what is %s', (_, offset, expected) => {
    expect(new SeenNonces(start).take('a', later + offset, later)).toBe(expected);
  });

  it('takes nothing from before it began: another process may have seen it', () => {
    const nonces = new SeenNonces(start);
    expect(nonces.take('a', start - 1, start)).toBe('time');
  });

  it('never takes again what it had to forget', () => {
    const nonces = new SeenNonces(start, 100);
    const taken: [string, number][] = [];
    for (let second = 0; second < 40; second++) {
      for (let i = 0; i < 10; i++) {
        const nonce = `${second}-${i}`;
        expect(nonces.take(nonce, start + second, start + second)).toBeUndefined();
        taken.push([nonce, start + second]);
      }
    }
    const again = taken.map(([nonce, created]) => nonces.take(nonce, created, start + 40));
    expect(again).not.toContain(undefined);
    // The last hundred are known still, so that a client with a right clock is not refused.
    expect(again.filter((problem) => problem === 'seen').length).toBeGreaterThanOrEqual(90);
  });

  it('refuses a whole second rather than take one of it twice', () => {
    const nonces = new SeenNonces(start, 10);
    const first = Array.from({ length: 11 }, (_, i) => nonces.take(`n${i}`, start, start));
    expect(first).toEqual(Array.from({ length: 11 }, () => undefined));
    expect(nonces.take('n0', start, start)).toBe('time');
    expect(nonces.take('x', start + 1, start + 1)).toBeUndefined();
  });
});
