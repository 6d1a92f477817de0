import { writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf, mediaTypes, verified } from '../oci/index.ts';
import type { Source } from './content.ts';
import { readLayers, readManifest } from './image.ts';
import { openSource } from './open-source.ts';
import { dockerTar, failureOf, rawTar, useFolder, whole } from './test/fixtures.ts';
import type { DockerFixture } from './test/fixtures.ts';

const folder = useFolder();
const lower = rawTar({ path: 'lower', content: Buffer.alloc(100_000, 'lower') });
const upper = rawTar({ path: 'upper', content: 'upper' });

async function open(images: readonly DockerFixture[], name?: string): Promise<Source> {
  writeFileSync(folder('x.tar'), dockerTar(images));
  return openSource(folder('x.tar'), name === undefined ? {} : { name });
}

describe('a docker archive', () => {
  it('becomes an OCI image with the config as it is, and proven layers', async () => {
    const source = await open([
      { layers: [lower, upper, lower], tags: ['app:1.2.3', 'app:latest'] },
    ]);
    expect(source.names).toEqual(['app:1.2.3', 'app:latest']);
    const manifest = await readManifest(source, {});
    expect(manifest.config.mediaType).toBe(mediaTypes.ociConfig);
    const layers = await readLayers(source, manifest);
    expect(layers.map(({ diffId }) => diffId)).toEqual([lower, upper, lower].map(digestOf));
    for (const { descriptor, diffId } of layers) {
      expect(descriptor.mediaType).toBe(mediaTypes.ociLayerGzip);
      const packed = await whole(verified(source.read(descriptor), descriptor));
      expect(digestOf(gunzipSync(packed))).toBe(diffId);
      expect(await whole(source.read(descriptor, { offset: 9 }))).toEqual(packed.subarray(9));
    }
    await source.close();
  });

  it('has the same digest each time it is opened', async () => {
    const digests = new Set<string>();
    for (const _ of [1, 2]) {
      const source = await open([{ layers: [lower, upper] }]);
      digests.add(source.root.digest);
      await source.close();
    }
    expect(digests.size).toBe(1);
  });

  it.each([
    ['gzip', gzipSync, mediaTypes.ociLayerGzip],
    ['zstd', zstdCompressSync, mediaTypes.ociLayerZstd],
  ] as const)('keeps layers that are packed with %s already', async (_, pack, mediaType) => {
    const packed = pack(lower);
    const source = await open([{ layers: [lower], pack: () => packed }]);
    const [layer] = (await readManifest(source, {})).layers;
    expect(layer).toEqual({ mediaType, digest: digestOf(packed), size: packed.length });
    expect(layer && (await whole(source.read(layer))).equals(packed)).toBe(true);
    await source.close();
  });

  it.each([
    ['plain', (layer: Buffer) => layer],
    ['packed', (layer: Buffer) => gzipSync(layer)],
  ])('is refused if a %s layer is not the one of the config', async (_, pack) => {
    const failure = await failureOf(open([{ layers: [lower], diffIds: [digestOf(upper)], pack }]));
    expect(failure).toMatchObject({
      code: 'CONTENT_MISMATCH',
      message: expect.stringMatching(/layer \S+layer\.tar of \S+x\.tar/),
    });
  });

  it('is refused if it has not one layer for each diffId', async () => {
    const failure = await failureOf(open([{ layers: [lower], diffIds: [] }]));
    expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
  });

  it('of several images is picked from by name, with or without registry and tag', async () => {
    const images = [
      { layers: [lower], tags: ['localhost/app:1.2.3'] },
      { layers: [upper], tags: ['other:latest'] },
      { layers: [lower, upper] },
    ];
    const counts: Record<string, number> = {};
    for (const name of ['app:1.2.3', 'localhost/app:1.2.3', 'other', '@1', '@2']) {
      const source = await open(images, name);
      counts[name] = (await readManifest(source, {})).layers.length;
      await source.close();
    }
    expect(counts).toEqual({
      'app:1.2.3': 1,
      'localhost/app:1.2.3': 1,
      other: 1,
      '@1': 1,
      '@2': 2,
    });
    for (const name of [undefined, 'missing', 'pp:1.2.3']) {
      expect(await failureOf(open(images, name))).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/it has localhost\/app:1\.2\.3, other:latest, @2/),
      });
    }
  });

  it.each([
    ['no list', '{}'],
    ['no JSON', '{'],
    ['of no image', '[]'],
    ['without a config', '[{"Config":"missing.json","Layers":[]}]'],
  ])('is refused if its manifest is %s', async (_, content) => {
    writeFileSync(folder('x.tar'), rawTar({ path: 'manifest.json', content }));
    expect(String(await failureOf(openSource(folder('x.tar'))))).toMatch(/Cannot read .*x\.tar/);
  });
});
