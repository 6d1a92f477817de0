import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readManifests } from './read-manifests.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  // As the kubelet mounts a ConfigMap.
  await mkdir(join(folder, '..2026_11_29', 'k8s'), { recursive: true });
  await writeFile(
    join(folder, '..2026_11_29', 'k8s', 'app.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n',
  );
  await symlink('..2026_11_29', join(folder, '..data'));
  await symlink('..data/k8s', join(folder, 'k8s'));
  await symlink('..data/k8s/app.yaml', join(folder, 'app.yaml'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('readManifests()', () => {
  it.each(['.', 'k8s'])('reads %s of a mounted ConfigMap once', async (path) => {
    const manifests = await readManifests([join(folder, path)], Readable.from([]));
    expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['app']);
  });
});
