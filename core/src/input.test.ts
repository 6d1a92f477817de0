import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { explain, InputError, UnreachableError } from './errors.ts';
import { parseDurationMs, parseInput } from './input.ts';

describe('parseDurationMs()', () => {
  it.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDurationMs(text)).toBe(milliseconds);
  });

  it.each(['', 'soon', '5 m', '-1s', '5x', 's', '600h'])('refuses %j', (text) => {
    expect(() => parseDurationMs(text)).toThrow(InputError);
  });
});

describe('parseInput()', () => {
  it('names every field that is wrong, in a sentence', () => {
    const schema = z.object({ a: z.string(), b: z.object({ c: z.int() }) });
    expect(() => parseInput(schema, { b: { c: 1.5 } }, 'the inputs')).toThrow(
      /^Cannot use the inputs: a: .*; b\.c: /,
    );
  });
});

describe('explain()', () => {
  it('says causes that add something, once', () => {
    const cause = new Error('connect ECONNREFUSED');
    expect(explain(new UnreachableError('Cannot reach it', { cause }))).toBe(
      'Cannot reach it: connect ECONNREFUSED',
    );
    const same = new UnreachableError('Cannot reach it: connect ECONNREFUSED', { cause });
    expect(explain(same)).toBe('Cannot reach it: connect ECONNREFUSED');
    expect(explain('text')).toBe('text');
  });
});
