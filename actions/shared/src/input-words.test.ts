import { describe, expect, it } from 'vitest';

import { inInputWords } from './input-words.ts';

describe('inInputWords()', () => {
  it.each([
    ['an option', 'or --force-conflicts to', 'or the input "force-conflicts" to'],
    ['one of several', 'for a kind, --image-path says', 'for a kind, the input "image-paths" says'],
    ['no other option', 'want --force-conflicts-now', 'want --force-conflicts-now'],
    [
      'no command',
      'want `reposure --image-path x`; --wait',
      'want `reposure --image-path x`; --wait',
    ],
  ])('says %s', (_, message, said) => {
    expect(inInputWords(message, ['force-conflicts', 'image-paths'])).toBe(said);
  });
});
