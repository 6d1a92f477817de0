import { describe, expect, it } from 'vitest';

import { describePlatform, isPlatformMatch, parsePlatform } from './platform.ts';

describe('parsePlatform()', () => {
  it.each(['linux/amd64', 'linux/arm64/v8', 'windows/amd64'])('reads %s', (text) => {
    expect(describePlatform(parsePlatform(text))).toBe(text);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/', 'linux/arm/v7/x'])(
    'refuses %j',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(SyntaxError);
    },
  );
});

describe('isPlatformMatch()', () => {
  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm/v7', 'linux/arm', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/amd64', 'linux/arm64', false],
    ['windows/amd64', 'linux/amd64', false],
  ])('%s where %s is wanted: %s', (offered, wanted, expected) => {
    expect(isPlatformMatch(parsePlatform(offered), parsePlatform(wanted))).toBe(expected);
  });
});
