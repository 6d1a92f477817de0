import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { describe, expect, it } from 'vitest';

import { collect } from '../../bytes.ts';
import type { Platform } from '../../oci/index.ts';
import type { Source } from '../content.ts';
import { readConfig, readDocument, readLayers, readManifest } from '../image.ts';
import { layerTar } from '../layer-tar.ts';
import { openSink } from '../open-sink.ts';
import { openSource } from '../open-source.ts';
import { parsePacking } from '../packing.ts';
import { storeImage } from '../store-image.ts';
import { imageOf, rawTar, useFolder } from '../test/fixtures.ts';
import { buildImage } from './build-image.ts';
import type { BuildOptions, BuildTarget } from './build-image.ts';
import { fileOf, treeOfFolder } from './layer-tree.ts';
import type { LayerTree } from './layer-tree.ts';

const folder = useFolder();
const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };

function write(path: string, content: string, mode = 0o644): void {
  const whole = folder(path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  chmodSync(whole, mode);
}

function build(
  targets: readonly Partial<BuildTarget>[],
  options: Partial<BuildOptions> = {},
): Promise<Source> {
  const tree: LayerTree = new Map([['app/run', fileOf('#!/bin/sh\n', 0o755)]]);
  const layers = [{ tree, createdBy: 'a test' }];
  return buildImage(
    targets.map((target) => ({ platform: amd64, layers, ...target })),
    {
      settings: {
        user: '65532:65532',
        entrypoint: ['/app/run'],
        env: { PATH: '/app' },
        labels: { a: '1' },
      },
      annotations: { b: '2' },
      created: '1970-01-01T00:00:00Z',
      packing: parsePacking(),
      temporaryDirectory: folder(),
      ...options,
    },
  );
}

/** What GNU tar finds in each layer: mode, owner, size, time and path. */
async function listingsOf(image: Source): Promise<string[][]> {
  const manifest = await readManifest(image, { platform: amd64 });
  const layers = await readLayers(image, manifest);
  return Promise.all(
    layers.map(async (layer) => {
      const input = await collect(layerTar(image, layer), 'layer', 1 << 20);
      const listing = execFileSync('tar', ['--utc', '--numeric-owner', '-tvf', '-'], { input });
      return listing.toString().trim().split('\n');
    }),
  );
}

describe('buildImage()', () => {
  it('makes the same digest whatever order, umask and times the files were written with', async () => {
    const digests = [];
    for (const [at, mode] of [
      ['one', 0o600],
      ['two', 0o664],
    ] as const) {
      const names = at === 'one' ? ['a', 'b-c', 'b/c'] : ['b/c', 'b-c', 'a'];
      for (const name of names) write(`${at}/${name}`, name, mode);
      write(`${at}/run`, 'run', mode | 0o100);
      utimesSync(folder(at, 'a'), digests.length, 1_000_000 * digests.length);
      symlinkSync('a', folder(at, 'link'));
      const tree = await treeOfFolder(folder(at), 'opt/app');
      const image = await build([{ layers: [{ tree, createdBy: 'a test' }] }]);
      digests.push(image.root.digest);
      expect(await listingsOf(image)).toEqual([
        [
          'drwxr-xr-x 0/0               0 1970-01-01 00:00 opt/',
          'drwxr-xr-x 0/0               0 1970-01-01 00:00 opt/app/',
          '-rw-r--r-- 0/0               1 1970-01-01 00:00 opt/app/a',
          'drwxr-xr-x 0/0               0 1970-01-01 00:00 opt/app/b/',
          '-rw-r--r-- 0/0               3 1970-01-01 00:00 opt/app/b-c',
          '-rw-r--r-- 0/0               3 1970-01-01 00:00 opt/app/b/c',
          'lrwxrwxrwx 0/0               0 1970-01-01 00:00 opt/app/link -> a',
          '-rwxr-xr-x 0/0               3 1970-01-01 00:00 opt/app/run',
        ].toSorted((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1)),
      ]);
      await image.close();
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it('builds on an image: its layers stay, its settings are taken over', async () => {
    const base = imageOf([rawTar({ path: 'etc/base', content: 'base' })]);
    const image = await build([{ base }]);
    const manifest = await readManifest(image, {});
    expect(manifest.layers[0]).toEqual(base.layers[0]);
    expect(manifest.annotations).toEqual({ b: '2' });
    expect(await listingsOf(image)).toEqual([
      [expect.stringContaining('etc/base')],
      [expect.stringContaining('app/'), expect.stringMatching(/^-rwxr-xr-x 0\/0 .* app\/run$/)],
    ]);
    expect(await readConfig(image, manifest.config)).toMatchObject({
      ...amd64,
      created: '1970-01-01T00:00:00Z',
      config: {
        User: '65532:65532',
        Entrypoint: ['/app/run'],
        Env: ['PATH=/app'],
        Labels: { a: '1' },
      },
    });
  });

  it.each([
    ['oci-archive:', 2],
    ['oci:', 2],
  ])('puts several platforms under one index, in %sPATH', async (kind, count) => {
    const image = await build([{ platform: amd64 }, { platform: arm64 }]);
    const target = `${kind}${folder('out')}`;
    await storeImage(image, await openSink(target), { name: 'host.io/app:1' });
    await image.close();
    const stored = await openSource(target);
    expect(stored.root.digest).toBe(image.root.digest);
    expect(stored.names).toContain('host.io/app:1');
    const { content } = await readDocument(stored, stored.root);
    expect(content.kind === 'index' && content.index.manifests).toHaveLength(count);
    const manifest = await readManifest(stored, { platform: arm64 });
    expect(await readConfig(stored, manifest.config)).toMatchObject(arm64);
    await stored.close();
  });

  it('refuses a base for another platform, and leaves nothing behind', async () => {
    const base = await build([{ platform: amd64 }, { platform: arm64 }]);
    await expect(
      build([{ base, platform: { os: 'linux', architecture: 's390x' } }]),
    ).rejects.toThrow(
      /Cannot take linux\/s390x from this index: it has linux\/amd64, linux\/arm64/,
    );
    await base.close();
    expect(execFileSync('ls', [folder()]).toString()).toBe('');
  });

  it('refuses a base whose layers are no tars', async () => {
    const base = imageOf([rawTar()], { layerType: 'application/vnd.example' });
    await expect(build([{ base }])).rejects.toThrow(/want a base image whose layers are tars/);
  });
});

describe('storeImage()', () => {
  it('leaves nothing at the place of an image that is not what its digests say', async () => {
    const image = imageOf([rawTar({ path: 'a', content: 'a' })]);
    const [layer] = image.layers;
    if (layer) image.blobs.set(layer.digest, Buffer.alloc(layer.size));
    const sink = await openSink(`oci-archive:${folder('out.tar')}`, {
      temporaryDirectory: folder(),
    });
    await expect(storeImage(image, sink)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(execFileSync('ls', [folder()]).toString()).toBe('');
  });
});

function pathOf(line: string): string {
  return line.slice(line.indexOf('opt/')).replace(/\/$/, '');
}
