import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { silent } from '@reposure/core';
import type { Log } from '@reposure/core';
import { openSink, openSource } from '@reposure/core/content';
import type { OpenSourceOptions, Source } from '@reposure/core/content';
import { documentOf, mediaTypes } from '@reposure/core/oci';
import type { Digest, Manifest } from '@reposure/core/oci';
import { directTransport, RegistryClient } from '@reposure/core/registry';
import type { ClosableTransport, Transport } from '@reposure/core/registry';
import type { Route } from '@reposure/core/surrogate';
import { layerFinder, parseDestination, parseImageName, pull, push } from '@reposure/core/transfer';
import type { LayerFinderOptions, PushOptions, TransferResult } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { writeDockerArchive } from '../support/docker-archive.ts';
import { writeRandomImage } from '../support/random-image.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';

interface Started {
  readonly host: string;
  close(): Promise<void>;
}

const kinds: readonly (readonly [
  string,
  boolean,
  (directory: string) => Promise<Started | undefined>,
])[] = [
  ['the embedded registry', true, (directory) => startRegistry({ directory })],
  [
    'Distribution 2',
    findDistribution('2') !== undefined,
    () => startDistribution({ version: '2' }),
  ],
  [
    'Distribution 3',
    findDistribution('3') !== undefined,
    () => startDistribution({ version: '3' }),
  ],
];

for (const [title, isThere, start] of kinds) {
  describe.skipIf(!isThere)(`nothing is sent twice to ${title}`, () => {
    let directory: string;
    let registry: Started | undefined;
    let transport: ClosableTransport;
    let asked: string[];
    let warnings: string[];
    const log: Log = { ...silent, warn: (message) => void warnings.push(message) };

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'reuse-'));
      registry = await start(join(directory, 'registry'));
      transport = directTransport({ host: registry?.host ?? '', insecure: true });
    });
    afterAll(async () => {
      await transport.close();
      await registry?.close();
      await rm(directory, { recursive: true, force: true });
    });
    beforeEach(() => {
      asked = [];
      warnings = [];
    });

    const request: Transport = (wanted) => {
      asked.push(`${wanted.method} ${wanted.path.replace('/v2/', '')}`);
      return transport(wanted);
    };
    const route: Route = { via: 'direct', reason: 'a test', request, close: async () => {} };
    const client = (): RegistryClient => new RegistryClient(transport);
    const path = (name: string): string => join(directory, name);
    const blobsSent = (): number =>
      asked.filter((line) => /^P(?:UT|ATCH) .*\/uploads\//.test(line)).length;
    const layersOf = async (repository: string, tag: string): Promise<Manifest['layers']> => {
      const { content } = await client().getManifest(repository, tag);
      return content.kind === 'manifest' ? content.manifest.layers : [];
    };

    async function pushLayout(
      layout: string,
      name: string,
      options: PushOptions = {},
      tags: readonly string[] = [],
    ): Promise<TransferResult> {
      const source = await openSource(`oci:${path(layout)}`);
      try {
        return await push(route, source, parseDestination(name, tags), { log, ...options });
      } finally {
        await source.close();
      }
    }

    async function pushArchive(
      archive: string,
      name: string,
      options: PushOptions & LayerFinderOptions = {},
      opening: OpenSourceOptions = {},
    ): Promise<TransferResult> {
      const destination = parseDestination(name);
      const layers = layerFinder(route, destination, { log, ...options });
      let source: Source | undefined;
      try {
        source = await openSource(archive, { ...opening, findLayers: layers.findLayers });
        return await push(route, source, destination, { log, ...options, layers });
      } finally {
        await source?.close();
      }
    }

    /** An index of two images that are in the registry already. */
    async function indexOf(...parts: readonly [string, Digest, string, Digest]): Promise<Source> {
      const [oneRepository, one, otherRepository, other] = parts;
      const images = [
        await client().getManifest(oneRepository, one),
        await client().getManifest(otherRepository, other),
      ];
      const index = documentOf({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: images.map(({ descriptor }, at) => ({
          ...descriptor,
          platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
        })),
      });
      return {
        root: index.descriptor,
        description: 'an index',
        names: [],
        read: async function* read({ digest, size, mediaType }) {
          const document = [index, ...images].find(
            ({ descriptor }) => descriptor.digest === digest,
          );
          if (document) {
            yield document.bytes;
            return;
          }
          for (const repository of [oneRepository, otherRepository]) {
            if ((await client().statBlob(repository, digest)) === undefined) continue;
            yield* await client().openBlob(repository, { digest, size });
            return;
          }
          throw new Error(`no ${mediaType}`);
        },
        close: async () => {},
      };
    }

    /** The image is read back and every byte of it verified. */
    async function pullBack(name: string): Promise<void> {
      const sink = await openSink(`oci:${await mkdtemp(path('pulled-'))}`);
      await pull(route, parseImageName(name), sink);
    }

    it('asks one round of questions for an image that is there, and sends nothing', async () => {
      await writeRandomImage(path('same'), { layers: 3, layerBytes: 100_000 });
      const first = await pushLayout('same', 'team/same:1', {}, ['latest']);
      asked = [];
      const again = await pushLayout('same', 'team/same:1', {}, ['latest']);
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.map((line) => line.replace(/sha256:.*/, '…')).toSorted()).toEqual([
        ...Array.from({ length: 4 }, () => 'HEAD team/same/blobs/…'),
        'HEAD team/same/manifests/1',
        'HEAD team/same/manifests/latest',
      ]);
      expect(again).toMatchObject({
        digest: first.digest,
        previousDigest: first.digest,
        bytes: { total: first.bytes.total, transferred: 0 },
        blobs: { transferred: 0, mounted: 0, reused: 4 },
      });
      expect(first.previousDigest).toBeUndefined();
    });

    it('sends the manifests alone where a tag is new, and mends what was lost', async () => {
      await writeRandomImage(path('tags'), { layers: 1, layerBytes: 100_000 });
      const { digest } = await pushLayout('tags', 'team/tags:1');
      asked = [];
      await pushLayout('tags', 'team/tags:2');
      expect(asked.filter((line) => !line.startsWith('HEAD'))).toEqual([
        'PUT team/tags/manifests/2',
      ]);
      const [layer] = await layersOf('team/tags', '1');
      const url = `http://${registry?.host}/v2/team/tags/blobs/${layer?.digest}`;
      expect((await fetch(url, { method: 'DELETE' })).status).toBe(202);
      asked = [];
      const mended = await pushLayout('tags', 'team/tags:1');
      expect(asked).toContain('PUT team/tags/manifests/1');
      expect(mended).toMatchObject({ digest, blobs: { transferred: 1, reused: 1 } });
      await pullBack('team/tags:1');
    });

    it('sends only what is new of an index, children first and the tag last', async () => {
      await writeRandomImage(path('index'), { layers: 1, layerBytes: 100_000 });
      const { digest: known } = await pushLayout('index', 'team/index:1');
      await writeRandomImage(path('index-arm'), { layers: 1, layerBytes: 100_000 });
      const { digest: fresh } = await pushLayout('index-arm', 'team/elsewhere-arm:1');
      const source = await indexOf('team/index', known, 'team/elsewhere-arm', fresh);
      asked = [];
      await push(route, source, parseDestination('team/index:both'), {});
      expect(asked.filter((line) => /^PUT .*manifests/.test(line))).toEqual([
        `PUT team/index/manifests/${fresh}`,
        'PUT team/index/manifests/both',
      ]);
      await pullBack('team/index:both');
      asked = [];
      await push(route, source, parseDestination('team/index:both'), {});
      expect(asked.filter((line) => !line.startsWith('HEAD'))).toEqual([]);
    });

    it('mounts what another repository has, and sends what cannot be mounted by the upload begun', async () => {
      await writeRandomImage(path('mounted'), { layers: 2, layerBytes: 200_000 });
      await pushLayout('mounted', 'team/origin:1');
      asked = [];
      const mountFrom = ['team/nothing-there', 'team/origin'];
      const planned = await pushLayout('mounted', 'team/target:1', { mountFrom, dryRun: true });
      expect(asked.filter((line) => !line.startsWith('HEAD'))).toEqual([]);
      const mounted = await pushLayout('mounted', 'team/target:1', { mountFrom });
      expect(blobsSent()).toBe(0);
      expect(mounted.blobs).toEqual({ transferred: 0, mounted: 3, reused: 0 });
      for (const { plan, bytes, blobs } of [planned, mounted]) {
        expect(plan).toHaveLength(3);
        expect(plan?.every((item) => item.repository === 'team/origin')).toBe(true);
        expect({ bytes, blobs }).toEqual({
          bytes: { ...mounted.bytes, read: expect.any(Number) },
          blobs: mounted.blobs,
        });
      }
      await pullBack('team/target:1');
    });

    it('goes on with the upload that a registry begins instead of mounting', async () => {
      await writeRandomImage(path('refused'), { layers: 1, layerBytes: 200_000 });
      await pushLayout('refused', 'team/origin:2');
      asked = [];
      // The registry is asked for a blob that the other repository does not have.
      const refusing: Transport = (wanted) =>
        request({
          ...wanted,
          path: wanted.path.replace('from=team%2Forigin', 'from=team%2Fnowhere'),
        });
      const source = await openSource(`oci:${path('refused')}`);
      const result = await push(
        { ...route, request: refusing },
        source,
        parseDestination('team/refused:1'),
        {
          mountFrom: ['team/origin'],
        },
      );
      await source.close();
      expect(asked.filter((line) => line.startsWith('POST'))).toEqual([
        expect.stringContaining('mount='),
        expect.stringContaining('mount='),
      ]);
      expect(result.blobs).toEqual({ transferred: 2, mounted: 0, reused: 0 });
      expect(result.plan?.map(({ from, repository }) => [from, repository])).toEqual([
        ['send', undefined],
        ['send', undefined],
      ]);
      await pullBack('team/refused:1');
    });

    it('mounts what this machine remembers, also in another process', async () => {
      const state = { directory: path('state-mount'), registry: 'r' };
      await writeRandomImage(path('known'), { layers: 1, layerBytes: 200_000 });
      await pushLayout('known', 'team/known-a:1', { state });
      const result = await pushLayout('known', 'team/known-b:1', { state });
      // The config is too small to be worth it.
      expect(result.blobs).toEqual({ transferred: 1, mounted: 1, reused: 0 });
    });

    it('neither packs nor sends the layers of an archive that the tag names so far', async () => {
      const [base, old, fresh] = [0, 1, 2].map(() => randomBytes(300_000)) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      const before = await writeDockerArchive(path('before.tar'), [base, old]);
      const after = await writeDockerArchive(path('after.tar'), [base, fresh]);
      await pushArchive(before.path, 'team/archive:1');
      const planned = await pushArchive(after.path, 'team/archive:1', { dryRun: true });
      const result = await pushArchive(after.path, 'team/archive:1');
      expect(result.plan?.map(({ from }) => from)).toEqual(['send', 'same content', 'send']);
      expect(planned.plan).toEqual(result.plan);
      expect(result.bytes.transferred).toBeLessThan(350_000);
      expect(result.blobs).toEqual({ transferred: 2, mounted: 0, reused: 1 });
      await pullBack('team/archive:1');
      expect(warnings).toEqual([]);
    });

    it('packs a layer after all that the registry loses before the image is named', async () => {
      const archive = await writeDockerArchive(path('kept.tar'), [randomBytes(300_000)]);
      const { digest } = await pushArchive(archive.path, 'team/kept:1');
      const [layer] = await layersOf('team/kept', '1');
      const layers = layerFinder(route, parseDestination('team/kept:1'), { log });
      const source = await openSource(archive.path, { findLayers: layers.findLayers });
      const url = `http://${registry?.host}/v2/team/kept/blobs/${layer?.digest}`;
      expect((await fetch(url, { method: 'DELETE' })).status).toBe(202);
      const result = await push(route, source, parseDestination('team/kept:2'), { log, layers });
      await source.close();
      expect(result).toMatchObject({ digest, blobs: { transferred: 1, reused: 1 } });
      await pullBack('team/kept:2');
    });

    it('uses what it remembers without asking for manifests, in the next process and another repository', async () => {
      const state = { directory: path('state-archive'), registry: 'r' };
      const { path: archive } = await writeDockerArchive(path('twice.tar'), [
        randomBytes(300_000),
        randomBytes(300_000),
      ]);
      const first = await pushArchive(archive, 'team/remembered:1', { state });
      asked = [];
      const again = await pushArchive(archive, 'team/remembered:1', { state });
      expect(again).toMatchObject({ digest: first.digest, bytes: { transferred: 0 } });
      expect(asked.filter((line) => !line.startsWith('HEAD'))).toEqual([]);
      expect(new Set(asked).size).toBe(asked.length);
      asked = [];
      const elsewhere = await pushArchive(archive, 'team/elsewhere:1', { state });
      expect(elsewhere.digest).toBe(first.digest);
      expect(elsewhere.blobs).toEqual({ transferred: 1, mounted: 2, reused: 0 });
      expect(asked.filter((line) => line.startsWith('GET'))).toEqual([]);
      await pullBack('team/elsewhere:1');
    });

    it('finds layers in the images of --cache-from, checks each once, and remembers it', async () => {
      const state = { directory: path('state-cache'), registry: 'r' };
      const content = randomBytes(300_000);
      const cache = await writeDockerArchive(path('cache.tar'), [content]);
      const image = await writeDockerArchive(path('image.tar'), [content, randomBytes(1000)]);
      await pushArchive(cache.path, 'team/cache:1');
      const cacheFrom = [parseImageName('team/cache:1'), parseImageName('team/not-there:1')];
      asked = [];
      const dry = await pushArchive(image.path, 'team/dry:1', { cacheFrom, dryRun: true });
      expect(asked.filter((line) => !/^(?:HEAD|GET)/.test(line))).toEqual([]);
      expect(dry.plan).toContainEqual(
        expect.objectContaining({ from: 'same content', repository: 'team/cache' }),
      );
      const read = (): string[] => asked.filter((line) => line.startsWith('GET team/cache/blobs/'));
      asked = [];
      await pushArchive(image.path, 'team/image:1', { cacheFrom, state, dryRun: true });
      // Its config, and the layer.
      expect(read()).toHaveLength(2);
      asked = [];
      const result = await pushArchive(image.path, 'team/image:1', { cacheFrom, state });
      expect(read()).toHaveLength(1);
      expect(result.blobs).toEqual({ transferred: 2, mounted: 1, reused: 0 });
      asked = [];
      await pushArchive(image.path, 'team/image:2', { cacheFrom, state });
      expect(asked.filter((line) => line.startsWith('GET'))).toEqual([]);
      expect(blobsSent()).toBe(0);
      await pullBack('team/image:2');
    });

    it('does not believe an image that claims the diffId of another layer', async () => {
      const honest = await writeDockerArchive(path('honest.tar'), [randomBytes(100_000)]);
      const other = await writeDockerArchive(path('other.tar'), [randomBytes(100_000)]);
      const reference = await pushArchive(honest.path, 'team/honest:1');
      await pushArchive(other.path, 'team/liar:1');
      const [layer] = await layersOf('team/liar', '1');
      const config = reference.plan?.find((item) => item.mediaType === mediaTypes.ociConfig);
      if (!layer || !config) throw new Error('no layer');
      const uploaded = await client().mountBlob('team/liar', config.digest, 'team/honest');
      expect(uploaded.mounted).toBe(true);
      // The config of the honest image, over the layer of another.
      const lie = documentOf({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { digest: config.digest, mediaType: config.mediaType, size: config.size },
        layers: [layer],
      });
      await client().putManifest('team/liar', '1', lie);
      const state = { directory: path('state-liar'), registry: 'r' };
      const result = await pushArchive(honest.path, 'team/liar:1', { state });
      expect(result.digest).toBe(reference.digest);
      expect(warnings).toEqual([expect.stringContaining('not reused')]);
      await pullBack('team/liar:1');
    });

    it('does not believe an image that says a layer is packed in another way', async () => {
      const { path: archive } = await writeDockerArchive(path('packing.tar'), [
        randomBytes(100_000),
      ]);
      const reference = await pushArchive(archive, 'team/packing:1');
      const { content } = await client().getManifest('team/packing', '1');
      if (content.kind === 'index') throw new Error('no image');
      // The same bytes: a runtime that goes by the media type would read them as something else.
      const layers = content.manifest.layers.map((layer) => ({
        ...layer,
        mediaType: mediaTypes.ociLayerZstd,
      }));
      await client().putManifest('team/packing', '2', documentOf({ ...content.manifest, layers }));
      const state = { directory: path('state-packing'), registry: 'r' };
      const result = await pushArchive(archive, 'team/packing:2', { state });
      expect(result.digest).toBe(reference.digest);
      expect(warnings).toEqual([expect.stringContaining('but it is packed with gzip')]);
    });

    it('takes only layers that are packed as asked', async () => {
      const { path: archive } = await writeDockerArchive(path('packed.tar'), [
        randomBytes(100_000),
      ]);
      await pushArchive(archive, 'team/packed:1');
      asked = [];
      const compression = 'zstd';
      const result = await pushArchive(archive, 'team/packed:1', { compression }, { compression });
      expect(result.plan?.map(({ from }) => from)).toEqual(['present', 'send']);
      // A layer that is packed otherwise is not even looked at.
      const [config] = result.plan ?? [];
      expect(asked.filter((line) => line.startsWith('GET team/packed/blobs/'))).toEqual([
        `GET team/packed/blobs/${config?.digest}`,
      ]);
      expect((await layersOf('team/packed', '1')).map(({ mediaType }) => mediaType)).toEqual([
        mediaTypes.ociLayerZstd,
      ]);
    });
  });
}
