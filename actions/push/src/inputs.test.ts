import { readFile } from 'node:fs/promises';

import { InputError, parseInput } from '@reposure/core';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { destinationsOf, Inputs } from './inputs.ts';

describe('Inputs', () => {
  it('are those of action.yml, with the same defaults', async () => {
    const text = await readFile(new URL('../action.yml', import.meta.url), 'utf8');
    const { inputs } = parse(text) as {
      inputs: Record<string, { default?: string; required?: boolean }>;
    };
    expect(Object.keys(Inputs.shape)).toEqual(Object.keys(inputs));
    const declared = Object.entries(inputs).flatMap(([name, { default: value }]) =>
      value ? [[name, value]] : [],
    );
    const given = { source: 'x', tags: 'a/b:1' };
    const filled = { ...Object.fromEntries(declared), ...given } as unknown;
    expect(parseInput(Inputs, filled, 'the declared ones')).toEqual(
      parseInput(Inputs, given, 'the fewest'),
    );
  });

  it('takes the tags of docker/metadata-action, lists and comments', () => {
    const tags = 'team/app:1.2.3\nteam/app:1.2 # moves\n# nothing\nteam/app:1, team/app:latest';
    const { tags: parsed } = parseInput(Inputs, { source: 'x', tags }, 'the inputs');
    expect(parsed).toEqual(['team/app:1.2.3', 'team/app:1.2', 'team/app:1', 'team/app:latest']);
  });

  it('names every input that is wrong', () => {
    const wrong = {
      tags: ' ',
      platforms: 'linux',
      retries: 'many',
      timeout: 'soon',
      'dry-run': 'perhaps',
    };
    expect(() => parseInput(Inputs, wrong, 'the inputs of this step')).toThrow(
      /source: is required; tags: is required; platforms: .*; retries: .*; timeout: .*; dry-run: /s,
    );
  });

  it('refuses a timeout that is longer than a timer', () => {
    const given = { source: 'x', tags: 'a/b:1', timeout: '9999h' };
    expect(() => parseInput(Inputs, given, 'the inputs')).toThrow(/timeout: .*24 days/);
  });
});

describe('destinationsOf()', () => {
  it('gathers tags by repository and takes the registry off', () => {
    const tags = ['reg.svc:5000/team/app:1', 'team/app:2', 'localhost:30500/team/other:1'];
    expect(destinationsOf(tags, ['localhost:30500', 'reg.svc:5000'])).toEqual([
      { repository: 'team/app', tags: ['1', '2'] },
      { repository: 'team/other', tags: ['1'] },
    ]);
  });

  it('refuses a tag of another registry', () => {
    expect(() => destinationsOf(['ghcr.io/team/app:1'], ['reg.svc:5000'])).toThrow(InputError);
  });
});
