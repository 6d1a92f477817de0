import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { writeImageOf, writeRandomImage } from '../test/support/random-image.ts';
import { tool } from '../test/support/tools.ts';

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

/** An OCI layout of one image. */
export interface LayoutImage {
  readonly folder: string;
  /** Of its manifest. */
  readonly digest: string;
  /** Of its layers. */
  readonly bytes: number;
}

/** What its layers hold: what cannot be compressed, or one hole. */
export interface LayoutShape {
  readonly layers: number;
  readonly layerBytes: number;
  readonly isSparse?: boolean;
  /** Others of the same shape have other content. */
  readonly variant?: number;
}

/** Writes an OCI layout of new content. */
export async function writeLayout(folder: string, shape: LayoutShape): Promise<LayoutImage> {
  const { layers, layerBytes, isSparse } = shape;
  const digest = isSparse
    ? await writeSparseImage(folder, layerBytes)
    : await writeRandomImage(folder, shape);
  return { folder, digest, bytes: layers * layerBytes };
}

/** One layer that takes no room on the disk. */
async function writeSparseImage(folder: string, size: number): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const hole = join(blobs, 'hole');
  const file = await open(hole, 'w');
  await file.truncate(size);
  await file.close();
  const hex = await sha256Of(hole);
  await rename(hole, join(blobs, hex));
  return await writeImageOf(folder, [{ digest: `sha256:${hex}`, size }]);
}

/** The files of all that it consists of. */
export async function blobsOf({ folder }: LayoutImage): Promise<readonly string[]> {
  const blobs = join(folder, 'blobs', 'sha256');
  return (await readdir(blobs)).map((name) => join(blobs, name));
}

/** The file of its largest layer. */
export async function largestBlobOf(image: LayoutImage): Promise<string> {
  const paths = await blobsOf(image);
  const sized = await Promise.all(
    paths.map(async (path) => ({ path, size: (await stat(path)).size })),
  );
  return sized.reduce((a, b) => (b.size > a.size ? b : a)).path;
}

/** The SHA-256 of a file, hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MiB }), hash);
  return hash.digest('hex');
}

/** An archive as `docker save` writes it, of which the last layer can be replaced. */
export class SavedImage {
  readonly #folder: string;
  readonly #diffIds: string[] = [];

  /** @param folder For its parts. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Puts a layer on top. Its content is of four bits in each byte, as text and programs are. */
  async addLayer(bytes: number): Promise<void> {
    const name = `${this.#diffIds.length}`;
    const parts = join(this.#folder, name);
    await mkdir(parts, { recursive: true });
    const file = await open(join(parts, 'file'), 'w');
    for (let left = bytes; left > 0; left -= MiB) {
      await file.write(randomBytes(Math.min(left, MiB) / 2).toString('hex'));
    }
    await file.close();
    await tool('tar', '-cf', join(parts, 'layer.tar'), '-C', parts, 'file');
    this.#diffIds.push(`sha256:${await sha256Of(join(parts, 'layer.tar'))}`);
  }

  /** Takes the topmost layer away. */
  dropLayer(): void {
    this.#diffIds.pop();
  }

  /** @returns The digest of the image's config, which is its ID. */
  async write(path: string): Promise<string> {
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: this.#diffIds },
    });
    const names = this.#diffIds.map((_, at) => `${at}/layer.tar`);
    const manifest = [{ Config: 'config.json', RepoTags: null, Layers: names }];
    await writeFile(join(this.#folder, 'config.json'), config);
    await writeFile(join(this.#folder, 'manifest.json'), JSON.stringify(manifest));
    await tool('tar', '-cf', path, '-C', this.#folder, 'manifest.json', 'config.json', ...names);
    return `sha256:${createHash('sha256').update(config).digest('hex')}`;
  }

  /** How large the topmost layer is as gzip packs it. */
  async packedBytes(): Promise<number> {
    const path = join(this.#folder, `${this.#diffIds.length - 1}`, 'layer.tar');
    const packed = `${path}.gz`;
    const file = await open(packed, 'w');
    await pipeline(createReadStream(path), createGzip({ level: 6 }), file.createWriteStream());
    return (await stat(packed)).size;
  }
}
