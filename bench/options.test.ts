import { describe, expect, it } from 'vitest';

import { cases } from './cases/index.ts';
import { parseArguments } from './options.ts';

describe('parseArguments()', () => {
  it('runs everything three times on the embedded cluster unless told otherwise', () => {
    expect(parseArguments([], cases)).toEqual({
      cases,
      rounds: 3,
      scale: 1,
      link: 'loopback',
      cluster: 'embedded',
      isJson: false,
      writes: false,
      wantsHelp: false,
    });
  });

  it('takes cases by name, in their order', () => {
    const words = ['memory', 'cpu', '--rounds', '5', '--link=40ms-1gbit', '-o', 'json', '--write'];
    const { cases: taken, ...rest } = parseArguments(words, cases);
    expect(taken.map(({ name }) => name)).toEqual(['memory', 'cpu']);
    expect(rest).toMatchObject({ rounds: 5, link: '40ms-1gbit', isJson: true, writes: true });
  });

  it.each([
    [['nothing'], /case "nothing"; want direct-push, /],
    [['--rounds', '0'], /--rounds "0"/],
    [['--rounds', '1.5'], /--rounds "1.5"/],
    [['--scale', 'large'], /--scale "large"/],
    [['--link', 'toString'], /--link "toString"; want loopback, /],
    [['--cluster', 'mine'], /--cluster "mine"/],
    [['-o', 'yaml'], /-o "yaml"; want json/],
  ])('refuses %j', (words, message) => {
    expect(() => parseArguments(words, cases)).toThrow(message);
  });
});
