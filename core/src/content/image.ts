import { collect } from '../bytes.ts';
import { InputError } from '../errors.ts';
import {
  ContentInvalidError,
  describePlatform,
  hostPlatform,
  isPlatformMatch,
  maxManifestBytes,
  mediaTypes,
  parseConfig,
  parseDocument,
  verified,
} from '../oci/index.ts';
import type { Descriptor, Digest, Document, Index, Manifest, Platform } from '../oci/index.ts';
import type { Source } from './content.ts';

/** What an image is read from. */
export type Readable = Pick<Source, 'read' | 'root'>;

/** A layer, and what its tar hashes to if the config says so. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId?: Digest | undefined;
}

/** How an image is chosen and read. */
export interface ImageOptions {
  /** Of an index; this machine's by default. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whether a config is that of an image, so that it has a platform and diffIds. */
export function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

/** Reads a manifest or index, and proves it. */
export async function readDocument(
  source: Pick<Source, 'read'>,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<Document> {
  const content = verified(source.read(descriptor, { signal }), descriptor);
  const bytes = await collect(content, `manifest ${descriptor.digest}`, maxManifestBytes);
  return parseDocument(bytes, descriptor.mediaType);
}

/**
 * The manifest that a source means, out of an index if need be.
 *
 * @throws {InputError} if no manifest is for the platform.
 */
export async function readManifest(source: Readable, options: ImageOptions): Promise<Manifest> {
  let document = await readDocument(source, source.root, options.signal);
  // An index may hold indexes; more levels than these nobody writes.
  for (let level = 0; level < 4; level++) {
    if (document.content.kind === 'manifest') return document.content.manifest;
    const child = chosen(document.content.index, options.platform);
    document = await readDocument(source, child, options.signal);
  }
  throw new ContentInvalidError(`Cannot read ${source.root.digest}: its indexes nest too deep`);
}

/**
 * The layers of an image, from the lowest up.
 *
 * @throws {ContentInvalidError} if the config has not one diffId for each.
 */
export async function readLayers(
  source: Readable,
  { config, layers }: Manifest,
  signal?: AbortSignal,
): Promise<readonly Layer[]> {
  if (!isImageConfig(config)) return layers.map((descriptor) => ({ descriptor }));
  const diffIds = (await readConfig(source, config, signal)).rootfs.diff_ids;
  if (diffIds.length !== layers.length) {
    throw new ContentInvalidError(
      `Cannot read image ${source.root.digest}: it has ${layers.length} layers and its config ${diffIds.length}`,
    );
  }
  return layers.map((descriptor, at) => ({ descriptor, diffId: diffIds[at] }));
}

/** Reads an image's config, and proves it. */
export async function readConfig(
  source: Pick<Source, 'read'>,
  config: Descriptor,
  signal?: AbortSignal,
): Promise<ReturnType<typeof parseConfig>> {
  const content = verified(source.read(config, { signal }), config);
  return parseConfig(await collect(content, `config ${config.digest}`, maxManifestBytes));
}

function chosen({ manifests }: Index, platform: Platform | undefined): Descriptor {
  const wanted = platform ?? hostPlatform();
  const match = manifests.find(
    (child) => child.platform !== undefined && isPlatformMatch(child.platform, wanted),
  );
  const [only] = manifests;
  const found = match ?? (platform === undefined && manifests.length === 1 ? only : undefined);
  if (found) return found;
  const offered = manifests.flatMap((child) =>
    child.platform ? [describePlatform(child.platform)] : [],
  );
  throw new InputError(
    `Cannot take ${describePlatform(wanted)} from this index: it has ${offered.join(', ') || 'no platforms'}; name one of them`,
  );
}
