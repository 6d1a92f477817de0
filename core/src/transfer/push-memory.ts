import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { maxManifestBytes, mediaTypes, verified } from '../oci/index.ts';
import type { Descriptor, Digest, Document } from '../oci/index.ts';
import type { Destination } from './destination.ts';
import type { ImageGraph } from './graph.ts';
import { claimsIn } from './layer-claims.ts';
import type { LayerFinder } from './layer-finder.ts';
import type { LayerRecord, RecordedBlob } from './layer-record.ts';
import type { PlanItem } from './result.ts';

/** To mount less costs as many requests as to send it. */
const smallestBytes = 64 * 1024;

/** A push that was done, and where it is remembered. */
export interface Remembering {
  readonly graph: ImageGraph;
  readonly read: (descriptor: Descriptor) => ByteStream;
  readonly destination: Destination;
  readonly layers?: Pick<LayerFinder, 'asked'> | undefined;
  readonly record: LayerRecord;
}

/**
 * Remembers where blobs are now, and the diffIds of the layers that the source packed: it proved
 * them. What a manifest and a config of somebody else say of each other is not remembered.
 */
export async function rememberBlobs(
  { graph, read, destination, layers, record }: Remembering,
  items: readonly PlanItem[],
): Promise<void> {
  const { repository } = destination;
  const asked = layers?.asked ?? new Set<Digest>();
  const proven = asked.size > 0 ? await layersIn(graph, read) : [];
  const diffIds = new Map(
    proven.filter(({ diffId }) => asked.has(diffId)).map((claim) => [claim.layer.digest, claim]),
  );
  const blobs = items.flatMap(({ digest, mediaType, size, from }): RecordedBlob[] => {
    const claim = diffIds.get(digest);
    if (claim) return [{ ...pickLayer(claim.layer), repository, diffId: claim.diffId }];
    const isWorthIt = from !== 'present' && size >= smallestBytes;
    return isWorthIt ? [{ digest, mediaType, size, repository }] : [];
  });
  await record.add(blobs);
}

async function layersIn(
  { documents }: ImageGraph,
  read: (descriptor: Descriptor) => ByteStream,
): Promise<ReturnType<typeof claimsIn>> {
  const claims = await Promise.all(documents.map((document) => layersOf(document, read)));
  return claims.flat();
}

async function layersOf(
  { content }: Document,
  read: (descriptor: Descriptor) => ByteStream,
): Promise<ReturnType<typeof claimsIn>> {
  if (content.kind === 'index') return [];
  const { config, layers } = content.manifest;
  if (config.mediaType !== mediaTypes.ociConfig) return [];
  const bytes = await collect(verified(read(config), config), config.digest, maxManifestBytes);
  return claimsIn(bytes, layers);
}

function pickLayer({
  digest,
  mediaType,
  size,
}: Descriptor): Pick<RecordedBlob, 'digest' | 'mediaType' | 'size'> {
  return { digest, mediaType, size };
}
