import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MiB = 1024 * 1024;

/** What an image is made of. */
export interface RandomImage {
  readonly layers: number;
  readonly layerBytes: number;
}

/** A blob of a layout. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/**
 * Writes an OCI layout whose layers cannot be compressed, a MiB at a time.
 *
 * @returns The manifest's digest.
 */
export async function writeRandomImage(
  folder: string,
  { layers: count, layerBytes }: RandomImage,
): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const layers = [];
  for (let layer = 0; layer < count; layer++) {
    layers.push(await writeRandomBlob(blobs, layerBytes));
  }
  return await writeImageOf(folder, layers);
}

/**
 * Completes an OCI layout of one image.
 *
 * @param contents Its layers, unpacked; they are among the layout's blobs already.
 * @returns The manifest's digest.
 */
export async function writeImageOf(folder: string, contents: readonly Blob[]): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256');
  const layers = contents.map((blob) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    ...blob,
  }));
  const config = await writeBlob(blobs, {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await writeBlob(blobs, {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers,
  });
  const index = { schemaVersion: 2, manifests: [{ mediaType, ...manifest }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return manifest.digest;
}

async function writeRandomBlob(blobs: string, size: number): Promise<Blob> {
  const hash = createHash('sha256');
  const partial = join(blobs, 'partial');
  const file = await open(partial, 'w');
  const buffer = Buffer.alloc(MiB);
  for (let left = size; left > 0; left -= MiB) {
    const bytes = randomFillSync(buffer.subarray(0, Math.min(left, MiB)));
    hash.update(bytes);
    await file.write(bytes);
  }
  await file.close();
  const hex = hash.digest('hex');
  await rename(partial, join(blobs, hex));
  return { digest: `sha256:${hex}`, size };
}

async function writeBlob(blobs: string, content: object): Promise<Blob> {
  const text = JSON.stringify(content);
  const hex = createHash('sha256').update(text).digest('hex');
  await writeFile(join(blobs, hex), text);
  return { digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}
