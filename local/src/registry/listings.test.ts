import { describe, expect, it } from 'vitest';

import { codeOf, pushBlob, pushImage, startFixture } from './test/fixture.ts';
import type { Fixture } from './test/fixture.ts';

interface Listed {
  readonly names: string[];
  readonly pages: number;
}

/** Follows a list to its end, by its links. */
async function follow({ send }: Fixture, path: string, key: string): Promise<Listed> {
  const names: string[] = [];
  let pages = 0;
  for (let next: string | undefined = path; next !== undefined; pages++) {
    const response = await send('GET', next);
    const body = (await response.json()) as Record<string, string[]>;
    names.push(...(body[key] ?? []));
    next = /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return { names, pages };
}

describe('the tags of a repository', () => {
  it('are listed in order, page by page', async () => {
    await using fixture = await startFixture();
    for (const tag of ['b', 'a', '1.0', 'Z', 'c']) await pushImage(fixture, 'x/y', tag);
    const path = '/v2/x/y/tags/list';
    const sorted = ['1.0', 'Z', 'a', 'b', 'c'];
    expect(await follow(fixture, path, 'tags')).toEqual({ names: sorted, pages: 1 });
    expect(await follow(fixture, `${path}?n=2`, 'tags')).toEqual({ names: sorted, pages: 3 });
    expect(await follow(fixture, `${path}?last=a`, 'tags')).toEqual({
      names: ['b', 'c'],
      pages: 1,
    });
    expect(await follow(fixture, `${path}?n=0`, 'tags')).toEqual({ names: [], pages: 1 });
  });

  it('are not those of a repository below it', async () => {
    await using fixture = await startFixture();
    await pushImage(fixture, 'x/y', 'below');
    expect((await fixture.send('GET', '/v2/x/tags/list')).status).toBe(404);
    await pushImage(fixture, 'x', 'above');
    expect((await follow(fixture, '/v2/x/tags/list', 'tags')).names).toEqual(['above']);
  });

  it('are none, but not unknown, where only a blob was pushed', async () => {
    await using fixture = await startFixture();
    await pushBlob(fixture, 'x', 'content');
    const response = await fixture.send('GET', '/v2/x/tags/list');
    expect(await response.json()).toEqual({ name: 'x', tags: [] });
  });

  it('are unknown where nothing is', async () => {
    await using fixture = await startFixture();
    const response = await fixture.send('GET', '/v2/x/tags/list');
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('NAME_UNKNOWN');
  });

  it.each(['-1', 'many'])('refuse n=%s', async (n) => {
    await using fixture = await startFixture();
    await pushImage(fixture, 'x', '1');
    const response = await fixture.send('GET', `/v2/x/tags/list?n=${n}`);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('PAGINATION_NUMBER_INVALID');
  });
});

describe('the catalog', () => {
  it('lists the repositories that hold a manifest, page by page', async () => {
    await using fixture = await startFixture();
    for (const repository of ['b', 'a/b/c', 'a/b', 'blobs/uploads']) {
      await pushImage(fixture, repository, '1');
    }
    await pushBlob(fixture, 'only-a-blob', 'content');
    const sorted = ['a/b', 'a/b/c', 'b', 'blobs/uploads'];
    const all = await follow(fixture, '/v2/_catalog', 'repositories');
    expect(all).toEqual({ names: sorted, pages: 1 });
    const paged = await follow(fixture, '/v2/_catalog?n=3', 'repositories');
    expect(paged).toEqual({ names: sorted, pages: 2 });
  });

  it('is empty in a new registry', async () => {
    await using fixture = await startFixture();
    const response = await fixture.send('GET', '/v2/_catalog');
    expect(await response.json()).toEqual({ repositories: [] });
  });
});
