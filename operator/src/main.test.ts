import { describe, expect, it, vi } from 'vitest';

import { operatorMain } from './main.ts';

describe('operatorMain()', () => {
  it.each([
    [[], /want "run"/],
    [['walk'], /want "run"/],
    [['run', '--port=x'], /port "x"/],
    [['run', '--image-pull-policy=Sometimes'], /want Always, IfNotPresent, Never/],
    [['run', '--colour'], /--colour/],
  ])('answers %j with status 2 and how it is used', async (argv, message) => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await operatorMain(argv)).toBe(2);
    expect(stderr.mock.calls.join('')).toMatch(message);
  });

  it('explains itself', async () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await operatorMain(['--help'])).toBe(0);
    expect(stdout.mock.calls.join('')).toContain('Usage: reposure-operator run');
  });
});
