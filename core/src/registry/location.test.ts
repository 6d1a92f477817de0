import { describe, expect, it } from 'vitest';

import { nextLink, originForm } from './location.ts';

const base = '/v2/a/b/blobs/uploads/';

describe('originForm()', () => {
  it.each([
    ['a path', '/v2/a/b/blobs/uploads/1?_state=x', '/v2/a/b/blobs/uploads/1?_state=x'],
    ['a relative path', '1?x=y', '/v2/a/b/blobs/uploads/1?x=y'],
    ['the name that the registry has outside', 'https://public.example.com/v2/u/1', '/v2/u/1'],
    ['a host without a scheme', '//evil.example.com/v2/u/1', '/v2/u/1'],
    ['a login in it', 'https://user:pass@host/v2/u/1', '/v2/u/1'],
    ['a path that looks like a host', 'https://host//evil.example.com/x', '/evil.example.com/x'],
    ['a fragment', '/v2/u/1#x', '/v2/u/1'],
  ])('reduces %s', (_, location, expected) => {
    expect(originForm(location, base)).toBe(expected);
  });

  it.each([['javascript:alert(1)'], ['file:///etc/passwd'], ['http://[']])(
    'refuses %s',
    (location) => {
      expect(originForm(location, base)).toBeUndefined();
    },
  );
});

describe('nextLink()', () => {
  it.each([
    ['</v2/_catalog?last=b&n=2>; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['</a>; rel="prev", </b,c>; title="x"; rel=next', '/b,c'],
    ['</a>; rel="first next"', '/a'],
  ])('finds it in %s', (header, target) => {
    expect(nextLink(header)).toBe(target);
  });

  it.each([[undefined], ['</a>; rel="prev"'], ['</a>; rel="nextly"'], ['</a>']])(
    'finds none in %s',
    (header) => {
      expect(nextLink(header)).toBeUndefined();
    },
  );
});
