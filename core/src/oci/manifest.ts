import * as z from 'zod';

import { ReposureError, UnsupportedError } from '../errors.ts';
import { Descriptor, DigestText } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { isIndexType, isManifestType, mediaTypes } from './media-type.ts';
import { Platform } from './platform.ts';

/** No manifest is larger: the distribution specification lets registries refuse more. */
export const maxManifestBytes = 4 * 1024 * 1024;

/** A document is not the manifest, index or config that it is said to be. */
export class ContentInvalidError extends ReposureError {
  override readonly name = 'ContentInvalidError';
  readonly code = 'CONTENT_INVALID';
}

/**
 * An image manifest, OCI or Docker schema 2.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export const Manifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
  subject: Descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Manifest = z.infer<typeof Manifest>;

/**
 * An index of manifests; Docker calls it a manifest list.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export const Index = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  manifests: z.array(Descriptor),
  subject: Descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Index = z.infer<typeof Index>;

/**
 * An image's configuration, as far as Reposure reads it.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export const ImageConfig = z.looseObject({
  ...Platform.shape,
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(DigestText) }),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

/** A manifest or index, with the bytes that its digest is of. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly content:
    | { readonly kind: 'manifest'; readonly manifest: Manifest }
    | { readonly kind: 'index'; readonly index: Index };
}

/**
 * Reads a manifest or index out of its bytes.
 *
 * @param bytes As stored; the digest is of exactly these.
 * @param mediaType As the descriptor or the `Content-Type` has it; without one the document's own counts.
 * @throws {ContentInvalidError} if it is neither, says it is another type, or could be read as both
 * (CVE-2021-41190).
 * @throws {UnsupportedError} if it is a manifest of Docker's schema 1.
 */
export function parseDocument(bytes: Uint8Array, mediaType?: string): Document {
  const digest = digestOf(bytes);
  const json = parseJson(bytes, digest);
  if ('manifests' in json && ('layers' in json || 'config' in json)) {
    throw new ContentInvalidError(
      `Cannot read manifest ${digest}: it has both manifests and layers`,
    );
  }
  if (isSchema1(json, mediaType)) {
    throw new UnsupportedError(
      `Cannot read manifest ${digest}: it is of Docker's schema 1, which has no config and no digests that can be kept; want the image built or pushed anew, as OCI or schema 2`,
    );
  }
  const type = typeOf(json, mediaType, digest);
  const descriptor = { mediaType: type, digest, size: bytes.byteLength };
  if (isIndexType(type)) {
    return { descriptor, bytes, content: { kind: 'index', index: shaped(Index, json, digest) } };
  }
  return {
    descriptor,
    bytes,
    content: { kind: 'manifest', manifest: shaped(Manifest, json, digest) },
  };
}

/**
 * Reads an image's configuration.
 *
 * @throws {ContentInvalidError} if the bytes are something else.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const digest = digestOf(bytes);
  return shaped(ImageConfig, parseJson(bytes, digest), digest);
}

/** The manifest or index as bytes, with the descriptor for it. */
export function documentOf(value: Manifest | Index): Document {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return parseDocument(bytes);
}

/** Everything that a document refers to and that must be there before it. */
export function childrenOf({ content }: Document): readonly Descriptor[] {
  switch (content.kind) {
    case 'index':
      return content.index.manifests;
    case 'manifest':
      return [content.manifest.config, ...content.manifest.layers];
  }
}

function parseJson(bytes: Uint8Array, digest: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw new ContentInvalidError(`Cannot read ${digest}: it is not JSON`, { cause });
  }
  throw new ContentInvalidError(`Cannot read ${digest}: it is not a JSON object`);
}

/** @see https://distribution.github.io/distribution/spec/deprecated-schema-v1/ */
function isSchema1(json: Record<string, unknown>, mediaType = ''): boolean {
  const types = [mediaType, json['mediaType']].filter((type) => typeof type === 'string');
  return (
    types.some((type) => type.startsWith('application/vnd.docker.distribution.manifest.v1+')) ||
    (json['schemaVersion'] === 1 && 'fsLayers' in json)
  );
}

function typeOf(json: Record<string, unknown>, told: string | undefined, digest: string): string {
  const own = typeof json['mediaType'] === 'string' ? json['mediaType'] : undefined;
  if (own && told && own !== told) {
    throw new ContentInvalidError(
      `Cannot read manifest ${digest}: it says ${own}, its descriptor says ${told}`,
    );
  }
  const type = own ?? told ?? ('manifests' in json ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (!isIndexType(type) && !isManifestType(type)) {
    throw new ContentInvalidError(
      `Cannot read ${digest}: ${type} is neither a manifest nor an index`,
    );
  }
  return type;
}

function shaped<T>(schema: z.ZodType<T>, json: unknown, digest: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') || 'document';
  throw new ContentInvalidError(
    `Cannot read ${digest}: ${where}: ${issue?.message ?? 'wrong shape'}`,
  );
}
