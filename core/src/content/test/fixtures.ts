import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { Header } from 'tar';
import { afterEach, beforeEach } from 'vitest';

import { collect } from '../../bytes.ts';
import { digestOf, mediaTypes } from '../../oci/index.ts';
import type { Descriptor, Digest, Platform } from '../../oci/index.ts';
import { manifestOf, notHeld, openerOf } from '../assembled-source.ts';
import type { Source } from '../content.ts';

/** A new folder for each test, removed after it. */
export function useFolder(): (...names: string[]) => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'content-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (...names) => join(folder, ...names);
}

/** An entry as somebody hostile may write it. */
export interface RawEntry {
  readonly path: string;
  readonly type?: ConstructorParameters<typeof Header>[0] extends infer T
    ? T extends { type?: infer K }
      ? K
      : never
    : never;
  readonly content?: string | Buffer;
  readonly linkPath?: string;
  readonly mode?: number;
  /** Instead of the content's. */
  readonly size?: number;
}

/** A tar entry, header and content. */
export function rawEntry({
  path,
  type = 'File',
  content = '',
  linkPath,
  mode,
  size,
}: RawEntry): Buffer {
  const bytes = Buffer.from(content);
  const block = Buffer.alloc(512);
  new Header({
    path,
    type,
    size: size ?? bytes.length,
    mode: mode ?? 0o644,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    ...(linkPath === undefined ? {} : { linkpath: linkPath }),
  }).encode(block);
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A tar with its end mark. */
export function rawTar(...entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)]);
}

/** An image in memory. */
export interface TestImage extends Source {
  readonly blobs: Map<Digest, Buffer>;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Makes an image of tars; layers are gzipped unless told. */
export function imageOf(tars: readonly Buffer[], options: ImageOptions = {}): TestImage {
  const { platform = { os: 'linux', architecture: 'amd64' }, diffIds = tars.map(digestOf) } =
    options;
  const blobs = new Map<Digest, Buffer>();
  const add = (bytes: Uint8Array, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, Buffer.from(bytes));
    return { mediaType, digest, size: bytes.length };
  };
  const { pack = (tar: Buffer) => gzipSync(tar), layerType = mediaTypes.ociLayerGzip } = options;
  const layers = tars.map((tar) => add(pack(tar), layerType));
  const config = add(
    Buffer.from(JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: diffIds } })),
    mediaTypes.ociConfig,
  );
  const manifest = manifestOf(config, layers);
  add(manifest.bytes, mediaTypes.ociManifest);
  return { ...sourceOf(manifest.descriptor, blobs), blobs, config, layers };
}

/** What differs from an honest gzipped image for linux/amd64. */
export interface ImageOptions {
  readonly platform?: Platform;
  readonly diffIds?: readonly string[];
  readonly pack?: (tar: Buffer) => Buffer;
  readonly layerType?: string;
}

/** A source of blobs in memory. */
export function sourceOf(root: Descriptor, blobs: ReadonlyMap<Digest, Buffer>): Source {
  return {
    root,
    description: 'a test',
    names: [],
    async *read(descriptor, options = {}) {
      const bytes = blobs.get(descriptor.digest);
      if (!bytes) throw notHeld(descriptor, 'a test');
      yield* openerOf(bytes)(options);
    },
    close: async () => {},
  };
}

/** Writes an OCI layout. */
export function writeLayout(
  folder: string,
  blobs: ReadonlyMap<Digest, Buffer>,
  manifests: readonly Descriptor[],
): void {
  for (const [digest, bytes] of blobs) {
    const path = join(folder, 'blobs', digest.replace(':', '/'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** The same as a tar. */
export function layoutTar(
  blobs: ReadonlyMap<Digest, Buffer>,
  manifests: readonly Descriptor[],
): Buffer {
  return rawTar(
    ...[...blobs].map(([digest, content]) => ({
      path: `./blobs/${digest.replace(':', '/')}`,
      content,
    })),
    { path: './index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
    { path: './oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
  );
}

/** An archive as `docker save` wrote them before it knew OCI layouts. */
export function dockerTar(images: readonly DockerFixture[]): Buffer {
  const entries: RawEntry[] = [];
  const manifest = images.map(({ layers, tags, diffIds = layers.map(digestOf), pack }) => {
    const config = Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: diffIds },
      }),
    );
    const name = `${digestOf(config).slice(7)}.json`;
    entries.push({ path: name, content: config });
    const paths = layers.map((layer, at) => {
      const path = `${name.slice(0, 12)}${at}/layer.tar`;
      entries.push({ path, content: pack ? pack(layer) : layer });
      return path;
    });
    return { Config: name, RepoTags: tags ?? null, Layers: paths };
  });
  return rawTar(...entries, { path: 'manifest.json', content: JSON.stringify(manifest) });
}

/** One image of a docker archive. */
export interface DockerFixture {
  readonly layers: readonly Buffer[];
  readonly tags?: readonly string[];
  readonly diffIds?: readonly string[];
  readonly pack?: (layer: Buffer) => Buffer;
}

/** A stream in chunks of so many bytes. */
export async function* inChunks(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All of a stream. */
export async function whole(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return await collect(content, 'it', 1e9);
}

/** What a promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => `no failure but ${JSON.stringify(value)}`,
    (error: unknown) => error,
  );
}
