import { describe, expect, it } from 'vitest';

import { scopesOf } from './scope.ts';
import type { Method } from './transport.ts';

describe('scopesOf()', () => {
  it.each<[Method, string, string[]]>([
    ['GET', '/v2/', []],
    ['GET', '/v2/_catalog?n=1', ['registry:catalog:*']],
    ['HEAD', '/v2/a/b/blobs/sha256:0', ['repository:a/b:pull']],
    ['GET', '/v2/a/b/tags/list', ['repository:a/b:pull']],
    ['GET', '/v2/a/b/referrers/sha256:0', ['repository:a/b:pull']],
    ['PUT', '/v2/a/b/manifests/1.2', ['repository:a/b:pull,push']],
    ['GET', '/v2/a/b/blobs/uploads/1?_state=x', ['repository:a/b:pull,push']],
    ['DELETE', '/v2/a/manifests/sha256:0', ['repository:a:pull,push,delete']],
    [
      'POST',
      '/v2/b/blobs/uploads/?mount=x&from=a',
      ['repository:a:pull', 'repository:b:pull,push'],
    ],
    ['POST', '/v2/b/blobs/uploads/?mount=x&from=b', ['repository:b:pull,push']],
    ['GET', '/v2/blobs/manifests/tags/list', ['repository:blobs/manifests:pull']],
  ])('%s %s', (method, path, names) => {
    expect(scopesOf({ method, path }).names).toEqual(names);
  });
});
