import { describe, expect, it } from 'vitest';

import { aheadSeconds, SeenNonces, toleranceSeconds } from './seen-nonces.ts';

const begun = 1_700_000_000;
/** The first second that it answers for. */
const start = begun + aheadSeconds + 1;
const later = start + 2 * toleranceSeconds;

describe('SeenNonces', () => {
  it('takes a nonce once', () => {
    const nonces = new SeenNonces(begun);
    expect(nonces.take('a', start, start)).toBeUndefined();
    expect(nonces.take('a', start, start)).toBe('seen');
    expect(nonces.take('b', start, start)).toBeUndefined();
    expect(nonces.take('a', start, start + toleranceSeconds)).toBe('seen');
  });

  it.each([
    ['just young enough', -toleranceSeconds, undefined],
    ['too old', -toleranceSeconds - 1, 'time'],
    ['just early enough', aheadSeconds, undefined],
    ['too early', aheadSeconds + 1, 'time'],
  ])('judges what is %s', (_, offset, expected) => {
    expect(new SeenNonces(begun).take('a', later + offset, later)).toBe(expected);
  });

  it('takes nothing that another process may have taken before it began', () => {
    const earlier = new SeenNonces(begun - 60);
    const nonces = new SeenNonces(begun);
    for (let created = begun - 10; created <= begun + aheadSeconds; created++) {
      expect(earlier.take('a', created, begun)).toBeUndefined();
      expect(nonces.take('a', created, begun)).toBe('time');
      expect(nonces.take('a', created, start + aheadSeconds)).toBe('time');
    }
    expect(nonces.take('a', start, start)).toBeUndefined();
  });

  it('goes on taking what is of this time, whoever fills its memory from ahead', () => {
    const nonces = new SeenNonces(begun, 100);
    for (let i = 0; i <= 100; i++) nonces.take(`n${i}`, start + aheadSeconds, start);
    const next = start + aheadSeconds + 1;
    expect(nonces.take('honest', next, next)).toBeUndefined();
  });

  it('never takes again what it had to forget', () => {
    const nonces = new SeenNonces(begun, 100);
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
    const nonces = new SeenNonces(begun, 10);
    const first = Array.from({ length: 11 }, (_, i) => nonces.take(`n${i}`, start, start));
    expect(first).toEqual(Array.from({ length: 11 }, () => undefined));
    expect(nonces.take('n0', start, start)).toBe('time');
    expect(nonces.take('x', start + 1, start + 1)).toBeUndefined();
  });
});
