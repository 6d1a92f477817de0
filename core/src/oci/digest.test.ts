import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { digestOf, hasherOf, isDigest, parseDigest, partsOf } from './digest.ts';

const hex = createHash('sha256').update('hello').digest('hex');

describe('parseDigest()', () => {
  it('takes sha256 and sha512', () => {
    expect(parseDigest(`sha256:${hex}`)).toBe(`sha256:${hex}`);
    expect(isDigest(`sha512:${'0'.repeat(128)}`)).toBe(true);
  });

  // CVE-2024-3727: a digest that is none ends up as a path.
  it.each([
    'sha256:../../../etc/passwd',
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `md5:${'0'.repeat(32)}`,
    hex,
    `sha256:${hex}\n`,
    '',
  ])('refuses %j', (text) => {
    expect(() => parseDigest(text)).toThrow(SyntaxError);
  });
});

describe('digestOf(), hasherOf() and partsOf()', () => {
  it('agree with each other', () => {
    const hasher = hasherOf(digestOf('any'));
    hasher.update(Buffer.from('hel'));
    hasher.update(Buffer.from('lo'));
    expect(hasher.digest()).toBe(digestOf('hello'));
    expect(partsOf(digestOf('hello'))).toEqual({ algorithm: 'sha256', hex });
  });

  it('hash by the algorithm that is expected', () => {
    const hasher = hasherOf(parseDigest(`sha512:${'0'.repeat(128)}`));
    hasher.update(Buffer.from('hello'));
    expect(hasher.digest()).toBe(`sha512:${createHash('sha512').update('hello').digest('hex')}`);
  });
});
