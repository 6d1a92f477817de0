import { describe, expect, it } from 'vitest';

import { commandsOf } from './shell.ts';

describe('commandsOf()', () => {
  it.each([
    ['two lines and a comment', 'a b # c\nd', [['a', 'b'], ['d']]],
    ['a continued line', 'a \\\n  b', [['a', 'b']]],
    ['pipes and lists', 'a | b && c; d &', [['a'], ['b'], ['c'], ['d']]],
    ['quotes', `a 'b c' "d e"f ''`, [['a', 'b c', 'd ef', '']]],
    ['redirections', 'a > out 2>&1 < in b', [['a', 'b']]],
    [
      'a command in a word',
      'a --x="$(b c)/d"',
      [
        ['b', 'c'],
        ['a', '--x=$(b c)/d'],
      ],
    ],
    [
      'a command in place of a file',
      'a <(b c)',
      [
        ['b', 'c'],
        ['a', '<(b c)'],
      ],
    ],
    ['a number sign inside of a word', 'a b#c', [['a', 'b#c']]],
  ])('reads %s', (_, script, commands) => {
    expect(commandsOf(script)).toEqual(commands);
  });

  it.each([`a 'b`, 'a "b', 'a $(b'])('refuses %s, which does not end', (script) => {
    expect(() => commandsOf(script)).toThrow(/is open/);
  });
});
