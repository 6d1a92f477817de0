import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { ContentInvalidError, ContentMismatchError } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Transport } from '../registry/index.ts';
import { mapConcurrently } from './concurrency.ts';
import type { Destination } from './destination.ts';
import type { ImageGraph } from './graph.ts';
import { questionsAtOnce, retryingOf } from './options.ts';
import type { Retrying, TransferOptions } from './options.ts';

/** How a registry is asked. */
export interface Asking {
  readonly client: RegistryClient;
  readonly retrying: Retrying;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
}

/** How the registry behind a route is asked. */
export function askingOf(request: Transport, options: TransferOptions): Asking {
  const { log = silent, signal, stallTimeoutMs } = options;
  const client = new RegistryClient(request, { log, stallTimeoutMs });
  return { client, retrying: retryingOf(options), log, signal };
}

/** What a repository has of an image before it is pushed. */
export interface Findings {
  /** Blobs that are not there. */
  readonly missing: readonly Descriptor[];
  /** Manifests and indexes that are there. */
  readonly documents: ReadonlySet<Digest>;
  /** What those tags name that exist already. */
  readonly tags: ReadonlyMap<string, Digest>;
}

/**
 * Asks, all at once, what a repository has of an image: every tag, manifest and blob by HEAD.
 *
 * That a tag names the image already is not taken as a proof that its blobs are there, though a
 * registry should see to it: garbage collection and damaged disks lose blobs of images that exist,
 * and to push the image again is what mends it. The questions cost one round trip together.
 *
 * @param isKnown Blobs that are known to be there, which are not asked for.
 * @throws {ContentMismatchError} if the repository has a blob of that digest and another size.
 */
export async function askRegistry(
  { root, documents, blobs }: ImageGraph,
  { repository, tags }: Destination,
  { client, retrying, signal }: Asking,
  isKnown: (digest: Digest) => boolean,
): Promise<Findings> {
  const named = new Map<string, Digest>();
  const there = new Set<Digest>();
  const missing = new Set<Digest>();
  const stat = async (reference: string): Promise<Digest | undefined> =>
    (await statOf(client, repository, reference, signal))?.digest;
  // By its digest the root matters only where no tag names it.
  const byDigest = documents.filter((document) => tags.length === 0 || document !== root);
  const questions = [
    ...tags.map((tag) => async () => {
      const digest = await stat(tag);
      if (digest !== undefined) named.set(tag, digest);
    }),
    ...byDigest.map(({ descriptor: { digest } }) => async () => {
      if ((await stat(digest)) === digest) there.add(digest);
    }),
    ...blobs
      .filter(({ digest }) => !isKnown(digest))
      .map((blob) => async () => {
        const size = await client.statBlob(repository, blob.digest, signal);
        if (size === undefined) missing.add(blob.digest);
        else refuseOtherSize(blob, size);
      }),
  ];
  await askAll(questions, retrying);
  return {
    missing: blobs.filter(({ digest }) => missing.has(digest)),
    documents: there,
    tags: named,
  };
}

/** A way that is not open fails all questions at once: it is said, and tried again, once. */
async function askAll(
  questions: readonly (() => Promise<void>)[],
  retrying: Retrying,
): Promise<void> {
  const open = new Set(questions);
  const ask = async (question: () => Promise<void>): Promise<void> => {
    await question();
    open.delete(question);
  };
  await retrying(
    'the registry',
    () => mapConcurrently([...open], questionsAtOnce, ask),
    () => questions.length - open.size,
  );
}

// A tag may name something that is no image any more, such as a manifest of schema 1.
async function statOf(
  client: RegistryClient,
  repository: string,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  try {
    return await client.statManifest(repository, reference, signal);
  } catch (error) {
    if (error instanceof ContentInvalidError) return undefined;
    throw error;
  }
}

function refuseOtherSize({ digest, size }: Descriptor, found: number): void {
  if (found === size) return;
  throw new ContentMismatchError(
    `Cannot reuse ${digest}: the registry has ${found} bytes of it, the image says ${size}`,
  );
}
