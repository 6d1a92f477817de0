import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { digestOf, maxManifestBytes, mediaTypes } from '@reposure/core/oci';
import type { Digest } from '@reposure/core/oci';
import { describe, expect, it } from 'vitest';

import {
  codeOf,
  manifestInit,
  manifestOf,
  pushBlob,
  pushImage,
  startFixture,
} from './test/fixture.ts';
import type { Fixture } from './test/fixture.ts';

const absent = digestOf('nobody has this');

async function tagsOf({ send }: Fixture, repository: string): Promise<unknown> {
  const response = await send('GET', `/v2/${repository}/tags/list`);
  return ((await response.json()) as { tags: unknown }).tags;
}

async function referrersOf({ send }: Fixture, digest: string, query = '') {
  const response = await send('GET', `/v2/a/referrers/${digest}${query}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(mediaTypes.ociIndex);
  const index = (await response.json()) as { manifests: { digest: string }[] };
  return { response, manifests: index.manifests };
}

function indexOf(...children: readonly Digest[]): string {
  const manifests = children.map((digest) => ({
    mediaType: mediaTypes.ociManifest,
    digest,
    size: 1,
  }));
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

describe('manifests', () => {
  it('come back to the byte, by tag and by digest, as the type that they were pushed as', async () => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const layer = await pushBlob(fixture, 'a', 'a layer');
    // The spaces belong to the digest.
    const text = ` ${manifestOf(config, layer, { mediaType: mediaTypes.dockerManifest })}\n`;
    const init = manifestInit(text, mediaTypes.dockerManifest);
    const put = await fixture.send('PUT', '/v2/a/manifests/1.2.3', init);
    expect(put.status).toBe(201);
    const digest = digestOf(text);
    expect(put.headers.get('docker-content-digest')).toBe(digest);
    expect(put.headers.get('location')).toBe(`/v2/a/manifests/${digest}`);
    for (const reference of ['1.2.3', digest]) {
      const got = await fixture.send('GET', `/v2/a/manifests/${reference}`);
      expect(await got.text()).toBe(text);
      expect(got.headers.get('content-type')).toBe(mediaTypes.dockerManifest);
      expect(got.headers.get('docker-content-digest')).toBe(digest);
      const head = await fixture.send('HEAD', `/v2/a/manifests/${reference}`);
      expect(head.headers.get('content-length')).toBe(String(text.length));
    }
  });

  it('may be named by sha512', async () => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const text = manifestOf(config, config);
    const digest = `sha512:${createHash('sha512').update(text).digest('hex')}`;
    const put = await fixture.send('PUT', `/v2/a/manifests/${digest}`, manifestInit(text));
    expect(put.status).toBe(201);
    expect(await (await fixture.send('GET', `/v2/a/manifests/${digest}`)).text()).toBe(text);
  });

  it('are refused under a digest that is not theirs', async () => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const init = manifestInit(manifestOf(config, config));
    const put = await fixture.send('PUT', `/v2/a/manifests/${absent}`, init);
    expect(put.status).toBe(400);
    expect(await codeOf(put)).toBe('DIGEST_INVALID');
    expect((await fixture.send('HEAD', `/v2/a/manifests/${absent}`)).status).toBe(404);
  });

  it('are refused before what they refer to is there, and leave no tag', async () => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const elsewhere = await pushBlob(fixture, 'b', 'a layer');
    const init = manifestInit(manifestOf(config, elsewhere));
    const put = await fixture.send('PUT', '/v2/a/manifests/latest', init);
    expect(put.status).toBe(400);
    expect(await codeOf(put)).toBe('MANIFEST_BLOB_UNKNOWN');
    expect((await fixture.send('HEAD', '/v2/a/manifests/latest')).status).toBe(404);
    expect(await tagsOf(fixture, 'a')).toEqual([]);
  });

  it('may refer to a layer that is to be had elsewhere', async () => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const layer = {
      mediaType: mediaTypes.dockerForeignLayer,
      digest: absent,
      size: 7,
      urls: ['https://example.com/layer'],
    };
    const init = manifestInit(manifestOf(config, config, { layers: [layer] }));
    expect((await fixture.send('PUT', '/v2/a/manifests/1', init)).status).toBe(201);
  });

  it('are children of an index, which wants them there first', async () => {
    await using fixture = await startFixture();
    const text = indexOf(await pushImage(fixture, 'a'));
    const init = manifestInit(text, mediaTypes.ociIndex);
    expect((await fixture.send('PUT', '/v2/b/manifests/1', init)).status).toBe(400);
    expect((await fixture.send('PUT', '/v2/a/manifests/1', init)).status).toBe(201);
    const got = await fixture.send('GET', '/v2/a/manifests/1');
    expect(got.headers.get('content-type')).toBe(mediaTypes.ociIndex);
    expect(await got.text()).toBe(text);
  });

  it.each([
    ['no JSON', '{', mediaTypes.ociManifest],
    ['no manifest', '{"schemaVersion":2}', mediaTypes.ociManifest],
    ['another type than they say', indexOf(), mediaTypes.ociManifest],
    ['a type that nobody knows', '{"schemaVersion":2}', 'application/json'],
    ['both manifest and index', '{"schemaVersion":2,"manifests":[],"layers":[]}', ''],
  ])('are refused if they are %s', async (_, text, type) => {
    await using fixture = await startFixture();
    const put = await fixture.send('PUT', '/v2/a/manifests/1', manifestInit(text, type));
    expect(put.status).toBe(400);
    expect(await codeOf(put)).toBe('MANIFEST_INVALID');
  });

  it('are refused beyond 4 MiB', async () => {
    await using fixture = await startFixture();
    const init = manifestInit(' '.repeat(maxManifestBytes + 1));
    expect((await fixture.send('PUT', '/v2/a/manifests/1', init)).status).toBe(413);
  });

  it.each(['-1', '.hidden', 'a'.repeat(129)])('are refused under the tag %s', async (tag) => {
    await using fixture = await startFixture();
    const config = await pushBlob(fixture, 'a', '{}');
    const init = manifestInit(manifestOf(config, config));
    expect((await fixture.send('PUT', `/v2/a/manifests/${tag}`, init)).status).toBe(400);
    expect((await fixture.send('GET', `/v2/a/manifests/${tag}`)).status).toBe(404);
    expect((await fixture.send('DELETE', `/v2/a/manifests/${tag}`)).status).toBe(404);
  });

  it('stay when one of their tags is deleted', async () => {
    await using fixture = await startFixture();
    const digest = await pushImage(fixture, 'a', 'one');
    await pushImage(fixture, 'a', 'two');
    expect((await fixture.send('DELETE', '/v2/a/manifests/one')).status).toBe(202);
    expect(await tagsOf(fixture, 'a')).toEqual(['two']);
    expect((await fixture.send('HEAD', `/v2/a/manifests/${digest}`)).status).toBe(200);
    expect((await fixture.send('DELETE', '/v2/a/manifests/one')).status).toBe(404);
  });

  it('take their tags with them when they are deleted, and leave the tags of others', async () => {
    await using fixture = await startFixture();
    const digest = await pushImage(fixture, 'a', 'one');
    await pushImage(fixture, 'a', 'two');
    await pushImage(fixture, 'a', 'other', { annotations: { a: 'b' } });
    expect((await fixture.send('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(202);
    expect(await tagsOf(fixture, 'a')).toEqual(['other']);
    expect((await fixture.send('HEAD', `/v2/a/manifests/${digest}`)).status).toBe(404);
    const kept = await readdir(join(fixture.directory, 'blobs', 'sha256'));
    expect(kept).not.toContain(digest.slice('sha256:'.length));
  });

  it('get a tag that another manifest had', async () => {
    await using fixture = await startFixture();
    await pushImage(fixture, 'a', 'latest');
    const digest = await pushImage(fixture, 'a', 'latest', { annotations: { a: 'b' } });
    const head = await fixture.send('HEAD', '/v2/a/manifests/latest');
    expect(head.headers.get('docker-content-digest')).toBe(digest);
  });
});

describe('referrers', () => {
  const subject = { mediaType: mediaTypes.ociManifest, digest: absent, size: 1 };

  it('are none where nobody refers', async () => {
    await using fixture = await startFixture();
    expect((await referrersOf(fixture, absent)).manifests).toEqual([]);
  });

  it('are listed with type and annotations, though the subject is missing', async () => {
    await using fixture = await startFixture();
    const annotations = { who: 'me' };
    const config = await pushBlob(fixture, 'a', '{}');
    const text = manifestOf(config, config, { subject, annotations, artifactType: 'a/signature' });
    const put = await fixture.send('PUT', '/v2/a/manifests/1', manifestInit(text));
    expect(put.headers.get('oci-subject')).toBe(absent);
    const { manifests } = await referrersOf(fixture, absent);
    expect(manifests).toEqual([
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(text),
        size: text.length,
        artifactType: 'a/signature',
        annotations,
      },
    ]);
  });

  it('are filtered by type, which for images is that of the config', async () => {
    await using fixture = await startFixture();
    const image = await pushImage(fixture, 'a', 'image', { subject });
    await pushImage(fixture, 'a', 'sbom', { subject, artifactType: 'a/sbom' });
    const query = `?artifactType=${encodeURIComponent(mediaTypes.ociConfig)}`;
    const { response, manifests } = await referrersOf(fixture, absent, query);
    expect(manifests.map(({ digest }) => digest)).toEqual([image]);
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType');
  });

  it('are gone when they are deleted', async () => {
    await using fixture = await startFixture();
    const digest = await pushImage(fixture, 'a', 'image', { subject });
    await fixture.send('DELETE', `/v2/a/manifests/${digest}`);
    expect((await referrersOf(fixture, absent)).manifests).toEqual([]);
  });
});
