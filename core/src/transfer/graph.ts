import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import {
  childrenOf,
  ContentInvalidError,
  describePlatform,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  mediaTypes,
  parseConfig,
  parseDocument,
  verified,
} from '../oci/index.ts';
import type { Descriptor, Digest, Document, Platform } from '../oci/index.ts';
import type { PlatformDigest } from './result.ts';

/** Reads content of a graph; the bytes need not be verified yet. */
export type Reader = (descriptor: Descriptor) => ByteStream | Promise<ByteStream>;

/** Everything that one reference stands for. */
export interface ImageGraph {
  readonly root: Document;
  /** Manifests and indexes, every one after those that it refers to; the root is the last. */
  readonly documents: readonly Document[];
  /** Configs and layers, each digest once, in the order in which they are found. */
  readonly blobs: readonly Descriptor[];
}

// An index of indexes is rare and flat; a document that nests further is made to exhaust us.
const maxDepth = 4;
const maxDocuments = 1000;

/**
 * Reads the manifests below `root`, and lists what they need.
 *
 * @throws {ContentMismatchError} if a manifest is not what its descriptor says.
 * @throws {ContentInvalidError} if one is no manifest, or they nest too deep.
 */
export async function readGraph(root: Descriptor, read: Reader): Promise<ImageGraph> {
  const documents = new Map<Digest, Document>();
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<Document> => {
    if (depth > maxDepth || documents.size > maxDocuments) {
      throw new ContentInvalidError(`Cannot read ${root.digest}: its indexes nest too deep`);
    }
    const document = await readDocument(descriptor, read);
    for (const child of childrenOf(document)) {
      if (isIndexType(child.mediaType) || isManifestType(child.mediaType)) {
        if (!documents.has(child.digest)) await visit(child, depth + 1);
      } else if (!isForeign(child)) {
        blobs.set(child.digest, blobs.get(child.digest) ?? child);
      }
    }
    documents.set(descriptor.digest, document);
    return document;
  };
  const rootDocument = await visit(root, 0);
  return { root: rootDocument, documents: [...documents.values()], blobs: [...blobs.values()] };
}

/** The digest of each image below the root, by platform; one without a platform is left out. */
export async function platformsOf(graph: ImageGraph, read: Reader): Promise<PlatformDigest[]> {
  const { content, descriptor } = graph.root;
  if (content.kind === 'index') {
    return content.index.manifests.flatMap(({ platform, digest }) =>
      // Attestations stand beside the images as unknown/unknown.
      platform && platform.os !== 'unknown'
        ? [{ platform: describePlatform(platform), digest }]
        : [],
    );
  }
  const { config } = content.manifest;
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) {
    return [];
  }
  const bytes = await collect(
    verified(await read(config), config),
    config.digest,
    maxManifestBytes,
  );
  return platformIn(bytes).map((platform) => ({
    platform: describePlatform(platform),
    digest: descriptor.digest,
  }));
}

// An artifact may carry a config of the image type that is an empty object.
function platformIn(config: Uint8Array): Platform[] {
  try {
    return [parseConfig(config)];
  } catch (error) {
    if (error instanceof ContentInvalidError) return [];
    throw error;
  }
}

/** How many bytes a graph has, manifests included. */
export function sizeOf({ documents, blobs }: ImageGraph): number {
  return [...documents.map(({ descriptor }) => descriptor), ...blobs].reduce(
    (sum, { size }) => sum + size,
    0,
  );
}

async function readDocument(descriptor: Descriptor, read: Reader): Promise<Document> {
  if (descriptor.size > maxManifestBytes) {
    throw new ContentInvalidError(
      `Cannot read manifest ${descriptor.digest}: it has ${descriptor.size} bytes; want at most ${maxManifestBytes}`,
    );
  }
  const content = verified(await read(descriptor), descriptor);
  const bytes = await collect(content, `manifest ${descriptor.digest}`, maxManifestBytes);
  // The descriptor as it stands in the index: its annotations and platform belong to it.
  return { ...parseDocument(bytes, descriptor.mediaType), descriptor };
}

// Layers that may not be distributed (Windows base images) are fetched from their own address.
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return (
    (urls ?? []).length > 0 &&
    (mediaType.includes('nondistributable') || mediaType === mediaTypes.dockerForeignLayer)
  );
}
