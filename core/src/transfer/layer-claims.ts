import { collect } from '../bytes.ts';
import { explain } from '../errors.ts';
import {
  compressionOf,
  describeReference,
  layerTypes,
  maxManifestBytes,
  mediaTypes,
  parseConfig,
} from '../oci/index.ts';
import type { Descriptor, Digest, Document, Target } from '../oci/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { mapConcurrently } from './concurrency.ts';
import { questionsAtOnce } from './options.ts';
import { rethrowLasting } from './plan-mounts.ts';
import type { Asking } from './plan-questions.ts';

/** What an image in the registry says of one of its layers; nobody has proved it. */
export interface LayerClaim {
  readonly diffId: Digest;
  /** Of the layer, as an OCI manifest names it. */
  readonly layer: Descriptor;
  readonly repository: string;
}

/** No index that people build has more platforms. */
const maxImages = 64;

/**
 * Reads what images in the registry say of their layers: of an index, all of its images.
 *
 * An image that is not there, or not to be read, claims nothing.
 *
 * @throws what is transient, after its tries.
 */
export async function readClaims(
  images: readonly Target[],
  asking: Asking,
): Promise<readonly LayerClaim[]> {
  const claims = await mapConcurrently(images, questionsAtOnce, async (image) => {
    try {
      return await claimsOf(image, asking);
    } catch (error) {
      rethrowLasting(error, asking.signal);
      const isAbsent = error instanceof RegistryError && error.isNotFound;
      const state = isAbsent ? 'the registry has no such image' : explain(error);
      asking.log.debug(`No layers are reused of ${describeReference(image)}: ${state}`);
      return [];
    }
  });
  return claims.flat();
}

async function claimsOf(
  { repository, tag = 'latest', digest }: Target,
  asking: Asking,
): Promise<readonly LayerClaim[]> {
  const root = await documentOf(repository, digest ?? tag, asking);
  if (root.content.kind === 'manifest') return claimsOfImage(repository, root, asking);
  // Attestations stand beside the images as unknown/unknown.
  const images = root.content.index.manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const claims = await mapConcurrently(
    images.slice(0, maxImages),
    questionsAtOnce,
    async (image) => {
      const document = await documentOf(repository, image.digest, asking);
      return await claimsOfImage(repository, document, asking);
    },
  );
  return claims.flat();
}

async function claimsOfImage(
  repository: string,
  { content }: Document,
  asking: Asking,
): Promise<readonly LayerClaim[]> {
  if (content.kind === 'index') return [];
  const { config, layers } = content.manifest;
  const isImage =
    config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig;
  if (!isImage || config.size > maxManifestBytes) return [];
  const { client, retrying, signal } = asking;
  const bytes = await retrying(config.digest, async () => {
    const body = await client.openBlob(repository, config, { signal });
    return await collect(body, config.digest, maxManifestBytes);
  });
  return claimsIn(bytes, layers).map(({ diffId, layer }) => ({ diffId, layer, repository }));
}

/**
 * The layers of a manifest with the diffIds that its config lists for them.
 *
 * @returns None where the two do not match one to one.
 */
export function claimsIn(
  config: Uint8Array,
  layers: readonly Descriptor[],
): readonly Omit<LayerClaim, 'repository'>[] {
  const { diff_ids: diffIds } = parseConfig(config).rootfs;
  if (diffIds.length !== layers.length) return [];
  return diffIds.flatMap((diffId, index) => {
    const layer = layers[index];
    const compression = layer && !layer.urls?.length ? compressionOf(layer.mediaType) : undefined;
    if (!layer || !compression) return [];
    // Docker's name for the same bytes; annotations are somebody's word, too.
    const { digest, size } = layer;
    return [{ diffId, layer: { mediaType: layerTypes[compression], digest, size } }];
  });
}

function documentOf(
  repository: string,
  reference: string,
  { client, retrying, signal }: Asking,
): Promise<Document> {
  return retrying(reference, () => client.getManifest(repository, reference, signal));
}
