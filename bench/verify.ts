import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { sha256Of } from './images.ts';
import type { LayoutImage } from './images.ts';

// What has been done is asked of the registry and looked up in the files, never of who did it.

const accept =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/**
 * Looks whether a repository has an image under the tag `1`, with all of its blobs.
 *
 * @param origin `ADDRESS:PORT`, plain HTTP.
 * @param is Which image: by its manifest, or by its config.
 * @throws {Error} if it is another one, or not whole.
 */
export async function assertPushed(
  origin: string,
  repository: string,
  is: { readonly digest: string } | { readonly config: string },
): Promise<void> {
  const base = `http://${origin}/v2/${repository}`;
  const answer = await fetch(`${base}/manifests/1`, { headers: { accept } });
  if (!answer.ok)
    throw new Error(`${base}/manifests/1 answers ${answer.status}: nothing was pushed`);
  const found = answer.headers.get('docker-content-digest');
  const manifest = (await answer.json()) as Manifest;
  const [actual, wanted] =
    'digest' in is ? [found, is.digest] : [manifest.config.digest, is.config];
  if (actual !== wanted) throw new Error(`${base} holds ${actual}; want ${wanted}`);
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    const head = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
    const length = Number(head.headers.get('content-length'));
    if (!head.ok || length !== size) {
      throw new Error(
        `${base}/blobs/${digest} answers ${head.status} with ${length} bytes; want ${size}`,
      );
    }
  }
}

/** Looks whether a folder is the whole image, hashes every file of it, and removes it. @throws {Error} */
export async function assertPulled(folder: string, { digest }: LayoutImage): Promise<void> {
  const pathOf = (of: string): string => join(folder, 'blobs', ...of.split(':'));
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
    manifests: Descriptor[];
  };
  if (index.manifests[0]?.digest !== digest) throw new Error(`${folder} holds another image`);
  const { config, layers } = JSON.parse(await readFile(pathOf(digest), 'utf8')) as Manifest;
  for (const { digest: each } of [config, ...layers]) {
    const hex = await sha256Of(pathOf(each));
    if (each !== `sha256:${hex}`) throw new Error(`${folder}: ${each} is ${hex}`);
  }
  await rm(folder, { recursive: true });
}
