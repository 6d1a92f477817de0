import { parseInput } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { Inputs } from './inputs.ts';

describe('Inputs', () => {
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
      /source: is required; tags: is required; retries: .*; platforms: .*; timeout: .*; dry-run: /s,
    );
  });

  it.each([
    ['a tag that no registry takes', { tags: 'team/app:1 Team/App:1' }, /tags: .*Team\/App:1/],
    ['what looks like a secret', { tags: 'team/app:1,ghp_abc123' }, /tags: entry 2 looks like/],
    ['two sources', { source: 'a.tar\nb.tar' }, /source: wants one source/],
    ['no time at all', { 'stall-timeout': '0' }, /stall-timeout: wants more/],
  ])('refuses %s', (_, wrong, message) => {
    const given = { source: 'x', tags: 'a/b:1', ...wrong };
    expect(() => parseInput(Inputs, given, 'the inputs')).toThrow(message);
  });

  it('refuses a timeout that is longer than a timer', () => {
    const given = { source: 'x', tags: 'a/b:1', timeout: '9999h' };
    expect(() => parseInput(Inputs, given, 'the inputs')).toThrow(/timeout: .*24 days/);
  });
});
