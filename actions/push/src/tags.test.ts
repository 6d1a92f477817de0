import { InputError } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { destinationsOf } from './tags.ts';

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
