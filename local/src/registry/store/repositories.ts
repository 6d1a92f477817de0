import { join } from 'node:path';

import type { Digest } from '@reposure/core/oci';

import { entriesIn, namesIn, sizeOf } from './file.ts';
import type { Paths } from './paths.ts';

/** Every folder that is or contains a repository, as the name of one. */
async function* folders(paths: Paths, parent = ''): AsyncGenerator<string, void> {
  for (const entry of await entriesIn(paths.repository(parent))) {
    if (!entry.isDirectory() || entry.name.startsWith('_')) continue;
    const name = parent ? `${parent}/${entry.name}` : entry.name;
    yield name;
    yield* folders(paths, name);
  }
}

/** The repositories that hold a manifest, in the order of their bytes. */
export async function listRepositories(paths: Paths): Promise<string[]> {
  const found: string[] = [];
  for await (const name of folders(paths)) {
    if (await hasManifest(paths, name)) found.push(name);
  }
  return found.toSorted();
}

/** Whether anything was ever pushed or mounted into it. */
export async function isKnown(paths: Paths, repository: string): Promise<boolean> {
  const entries = await entriesIn(paths.repository(repository));
  return entries.some(({ name }) => name.startsWith('_'));
}

/** Whether some repository still holds this content, as a blob or as a manifest. */
export async function isLinked(paths: Paths, digest: Digest): Promise<boolean> {
  for await (const name of folders(paths)) {
    if ((await sizeOf(paths.layer(name, digest))) !== undefined) return true;
    if ((await sizeOf(paths.manifest(name, digest))) !== undefined) return true;
  }
  return false;
}

async function hasManifest(paths: Paths, repository: string): Promise<boolean> {
  const root = join(paths.repository(repository), '_manifests');
  for (const algorithm of await namesIn(root)) {
    const manifests = await namesIn(join(root, algorithm));
    if (manifests.length > 0) return true;
  }
  return false;
}
