import { mkdirSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf, layerTypes, mediaTypes, verified } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import type { FindLayers, Source } from './content.ts';
import { readLayers, readManifest } from './image.ts';
import { openSource } from './open-source.ts';
import type { OpenSourceOptions } from './open-source.ts';
import {
  dockerTar,
  failureOf,
  imageOf,
  layoutTar,
  rawTar,
  useFolder,
  whole,
  writeLayout,
} from './test/fixtures.ts';
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

describe('layers of a docker archive that the registry has', () => {
  const found = { digest: digestOf('packed elsewhere'), size: 77 };
  const plainIds = [lower, upper].map(digestOf);

  async function opened(
    mediaType: string,
    options: OpenSourceOptions = {},
  ): Promise<{ source: Source; asked: (readonly Digest[])[] }> {
    const asked: (readonly Digest[])[] = [];
    const findLayers: FindLayers = async (diffIds) => {
      asked.push(diffIds);
      return new Map([[digestOf(lower), { ...found, mediaType }]]);
    };
    writeFileSync(folder('x.tar'), dockerTar([{ layers: [lower, upper, lower] }]));
    return { source: await openSource(folder('x.tar'), { findLayers, ...options }), asked };
  }

  it('are asked for once, named as answered, and cannot be read', async () => {
    const { source, asked } = await opened(mediaTypes.dockerLayerGzip);
    expect(asked).toEqual([plainIds]);
    const { layers } = await readManifest(source, {});
    const answered = { ...found, mediaType: mediaTypes.ociLayerGzip };
    const [first, own = answered, last] = layers;
    expect([first, last]).toEqual([answered, answered]);
    expect(digestOf(gunzipSync(await whole(source.read(own))))).toBe(digestOf(upper));
    expect(await failureOf(whole(source.read(answered)))).toMatchObject({
      code: 'CONTENT_NOT_FOUND',
      message: expect.stringMatching(/the registry had it/),
    });
    await source.close();
  });

  it('are not read at all', async () => {
    const altered = dockerTar([{ layers: [lower, upper] }]);
    altered.fill('x', altered.indexOf('lowerlower'), altered.indexOf('lowerlower') + 10);
    writeFileSync(folder('altered.tar'), altered);
    const findLayers: FindLayers = async () =>
      new Map([[digestOf(lower), { ...found, mediaType: mediaTypes.ociLayerGzip }]]);
    const source = await openSource(folder('altered.tar'), { findLayers });
    expect((await readManifest(source, {})).layers).toHaveLength(2);
    await source.close();
    expect(await failureOf(openSource(folder('altered.tar')))).toMatchObject({
      code: 'CONTENT_MISMATCH',
    });
  });

  it.each([
    ['of another compression than asked for', mediaTypes.ociLayerGzip, { compression: 'zstd' }],
    ['that is no tar', 'application/octet-stream', {}],
  ] as const)('are packed here in place of one %s', async (_, mediaType, options) => {
    const { source } = await opened(mediaType, options);
    const { layers } = await readManifest(source, {});
    expect(layers.map(({ digest }) => digest)).not.toContain(found.digest);
    for (const layer of layers) await whole(verified(source.read(layer), layer));
    await source.close();
  });

  it('are not asked for where they are packed, nor in an OCI layout', async () => {
    const findLayers: FindLayers = async () => {
      throw new Error('asked');
    };
    writeFileSync(folder('x.tar'), dockerTar([{ layers: [lower], pack: (one) => gzipSync(one) }]));
    const image = imageOf([lower], { pack: (one) => one, layerType: mediaTypes.ociLayer });
    writeLayout(folder('layout'), image.blobs, [image.root]);
    for (const path of [folder('x.tar'), folder('layout')]) {
      const source = await openSource(path, { findLayers });
      expect((await readManifest(source, {})).layers).toHaveLength(1);
      await source.close();
    }
  });
});

describe('the compression of layers', () => {
  const unpack = { gzip: gunzipSync, zstd: zstdDecompressSync, none: (bytes: Buffer) => bytes };
  const compressions = ['gzip', 'zstd', 'none'] as const;

  it.each(compressions)('is as asked for, from archives, files and folders: %s', async (asked) => {
    writeFileSync(folder('x.tar'), dockerTar([{ layers: [lower, upper] }]));
    mkdirSync(folder('some'));
    writeFileSync(folder('some', 'file'), 'content');
    for (const from of [folder('x.tar'), `file:${folder('x.tar')}`, folder('some')]) {
      const source = await openSource(from, { compression: asked });
      const layers = await readLayers(source, await readManifest(source, {}));
      for (const { descriptor, diffId } of layers) {
        expect(descriptor.mediaType).toBe(layerTypes[asked]);
        const bytes = await whole(verified(source.read(descriptor), descriptor));
        expect(digestOf(unpack[asked](bytes))).toBe(diffId);
        const rest = await whole(source.read(descriptor, { offset: 300 }));
        expect(rest.equals(bytes.subarray(300))).toBe(true);
      }
      await source.close();
    }
  });

  it('goes by its level', async () => {
    const digests = new Set<string>();
    for (const compressionLevel of [1, 9, 9]) {
      writeFileSync(folder('x.tar'), dockerTar([{ layers: [lower] }]));
      const source = await openSource(folder('x.tar'), { compressionLevel });
      digests.add(source.root.digest);
      await source.close();
    }
    expect(digests.size).toBe(2);
    const failure = await failureOf(openSource(folder('x.tar'), { compressionLevel: 12 }));
    expect(failure).toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('does not change the digests of an OCI layout', async () => {
    const image = imageOf([lower]);
    writeLayout(folder('layout'), image.blobs, [image.root]);
    const docker = dockerTar([{ layers: [lower] }]).subarray(0, -1024);
    writeFileSync(
      folder('both.tar'),
      Buffer.concat([docker, layoutTar(image.blobs, [image.root])]),
    );
    for (const from of [folder('layout'), `oci:${folder('layout')}`, folder('both.tar')]) {
      expect(await failureOf(openSource(from, { compression: 'zstd' }))).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/keeps its digests.*leave compression and level out/),
      });
    }
    expect(
      String(await failureOf(openSource(folder('both.tar'), { compressionLevel: 1 }))),
    ).toMatch(/or write docker-archive: in front of it/);
    const source = await openSource(`docker-archive:${folder('both.tar')}`, {
      compression: 'zstd',
    });
    await source.close();
  });
});
