import type { Descriptor, Digest } from '../oci/index.ts';
import type { Destination } from './destination.ts';
import type { ImageGraph } from './graph.ts';
import type { LayerFinder } from './layer-finder.ts';
import type { LayerRecord } from './layer-record.ts';
import { findMounts } from './plan-mounts.ts';
import { askRegistry } from './plan-questions.ts';
import type { Asking, Findings } from './plan-questions.ts';
import type { PlanItem, TransferResult } from './result.ts';

/** What a repository lacks of an image, and where that comes from. */
export interface Plan extends Findings {
  /** Every blob of the image, in its order. */
  readonly items: readonly PlanItem[];
}

/** Where a plan may have blobs from, besides this side. */
export interface Reusable {
  /** Repositories of the same registry that may hold what is missing. */
  readonly mountFrom?: readonly string[] | undefined;
  /** The layers that were found before the source was opened: they are not asked for again. */
  readonly layers?: Pick<LayerFinder, 'found'> | undefined;
  readonly record: LayerRecord;
}

/** No blob is looked for in more places. */
const maxCandidates = 8;

/** Finds out what has to be done for a push; changes nothing. */
export async function makePlan(
  graph: ImageGraph,
  destination: Destination,
  reusable: Reusable,
  asking: Asking,
): Promise<Plan> {
  const found = reusable.layers?.found ?? new Map<Digest, string>();
  const findings = await askRegistry(graph, destination, asking, (digest) => found.has(digest));
  const mounts = await mountsFor(findings.missing, destination, reusable, asking);
  const missing = new Set(findings.missing.map(({ digest }) => digest));
  const items = graph.blobs.map((blob): PlanItem => {
    const { digest, mediaType, size } = blob;
    const origin = found.get(digest) ?? mounts.get(digest);
    const isElsewhere = origin !== undefined && origin !== destination.repository;
    const repository = isElsewhere ? { repository: origin } : {};
    return {
      digest,
      mediaType,
      size,
      from: fromOf(blob, { found, missing, mounts }),
      ...repository,
    };
  });
  return { ...findings, items };
}

async function mountsFor(
  missing: readonly Descriptor[],
  { repository }: Destination,
  { mountFrom = [], record }: Reusable,
  asking: Asking,
): Promise<ReadonlyMap<Digest, string>> {
  const candidates = await Promise.all(
    missing.map(async ({ digest }) => {
      const all = new Set([...mountFrom, ...(await record.repositoriesOf(digest))]);
      all.delete(repository);
      return [digest, [...all].slice(0, maxCandidates)] as const;
    }),
  );
  const byDigest = new Map(candidates);
  return findMounts(missing, (digest) => byDigest.get(digest) ?? [], asking);
}

interface Places {
  readonly found: ReadonlyMap<Digest, string>;
  readonly missing: ReadonlySet<Digest>;
  readonly mounts: ReadonlyMap<Digest, string>;
}

function fromOf({ digest }: Descriptor, { found, missing, mounts }: Places): PlanItem['from'] {
  if (found.has(digest)) return 'same content';
  if (!missing.has(digest)) return 'present';
  return mounts.has(digest) ? 'mount' : 'send';
}

/** How many bytes are sent by a plan. */
export function sentBytesOf(items: readonly PlanItem[]): number {
  return items.reduce((sum, { from, size }) => sum + (from === 'send' ? size : 0), 0);
}

/** How many bytes of blobs need not be sent. */
export function reusedBytesOf(items: readonly PlanItem[]): number {
  return items.reduce((sum, { size }) => sum + size, -sentBytesOf(items));
}

/** How many blobs come from where. */
export function countsOf(items: readonly PlanItem[]): TransferResult['blobs'] {
  const transferred = items.filter(({ from }) => from === 'send').length;
  const mounted = items.filter(({ repository }) => repository !== undefined).length;
  return { transferred, mounted, reused: items.length - transferred - mounted };
}
