import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { tool } from './tools.ts';

/** An archive as `docker save` writes it. */
export interface DockerArchive {
  readonly path: string;
  /** Of its layers, in order. */
  readonly diffIds: readonly string[];
}

/**
 * Writes a docker archive with unpacked layers, one file in each.
 *
 * @param contents Of the files; equal contents make equal layers.
 */
export async function writeDockerArchive(
  path: string,
  contents: readonly (string | Uint8Array)[],
): Promise<DockerArchive> {
  const folder = `${path}.parts`;
  await mkdir(folder, { recursive: true });
  const names: string[] = [];
  const diffIds: string[] = [];
  for (const [at, content] of contents.entries()) {
    const name = `${at}/layer.tar`;
    diffIds.push(await writeLayer(join(folder, name), content));
    names.push(name);
  }
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: null, Layers: names }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await tool('tar', '-cf', path, '-C', folder, 'manifest.json', 'config.json', ...names);
  await rm(folder, { recursive: true });
  return { path, diffIds };
}

async function writeLayer(path: string, content: string | Uint8Array): Promise<string> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'file'), content);
  const fixed = ['--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=0644'];
  await tool('tar', '-cf', path, ...fixed, '-C', folder, 'file');
  await rm(join(folder, 'file'));
  const { size } = await stat(path);
  if (size === 0) throw new Error('an empty layer');
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}
