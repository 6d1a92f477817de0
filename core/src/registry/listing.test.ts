import { describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { digestOf } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import { referrersTagOf } from './listing.ts';
import type { Transport } from './transport.ts';

const digest = digestOf('a manifest');

describe('RegistryClient.referrers()', () => {
  it('asks for the API once in a repository that has none', async () => {
    const asked: string[] = [];
    const nothingThere: Transport = async ({ path }) => {
      asked.push(path);
      return { status: 404, headers: {}, body: streamOf(), discard: async () => {} };
    };
    const client = new RegistryClient(nothingThere);
    for (const repository of ['a', 'a', 'b']) {
      expect(await client.referrers(repository, digest)).toEqual([]);
    }
    const byTag = `manifests/${referrersTagOf(digest)}`;
    expect(asked).toEqual([
      `/v2/a/referrers/${digest}`,
      `/v2/a/${byTag}`,
      `/v2/a/${byTag}`,
      `/v2/b/referrers/${digest}`,
      `/v2/b/${byTag}`,
    ]);
  });
});

describe('referrersTagOf()', () => {
  it('fits into a tag, whatever the algorithm', () => {
    expect(referrersTagOf(digest)).toBe(digest.replace(':', '-'));
    const long = digestOf('').replace('sha256:', '');
    const tag = referrersTagOf(`sha512:${long}${long}` as typeof digest);
    expect(tag).toBe(`sha512-${long}`);
  });
});
