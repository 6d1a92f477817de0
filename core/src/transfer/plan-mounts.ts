import { isTransient, explain } from '../errors.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import type { MountResult } from '../registry/index.ts';
import { AuthenticationError } from '../registry/registry-error.ts';
import { mapConcurrently } from './concurrency.ts';
import { questionsAtOnce } from './options.ts';
import type { Asking } from './plan-questions.ts';

/**
 * Finds out which blobs another repository of the same registry has.
 *
 * @param candidatesOf The repositories that may have a blob, best first.
 * @returns By digest, the first that does. One that cannot be read has nothing.
 */
export async function findMounts(
  blobs: readonly Descriptor[],
  candidatesOf: (digest: Digest) => readonly string[],
  asking: Asking,
): Promise<ReadonlyMap<Digest, string>> {
  const mounts = new Map<Digest, string>();
  const closed = new Set<string>();
  await mapConcurrently(blobs, questionsAtOnce, async (blob) => {
    for (const repository of candidatesOf(blob.digest)) {
      if (closed.has(repository)) continue;
      const answer = await hasBlob(repository, blob, asking);
      if (answer === 'closed') closed.add(repository);
      if (answer !== true) continue;
      mounts.set(blob.digest, repository);
      return;
    }
  });
  return mounts;
}

/**
 * Whether a repository has a blob.
 *
 * @returns `closed` if it may not be read.
 * @throws what is transient, after its tries.
 */
export async function hasBlob(
  repository: string,
  { digest, size }: Descriptor,
  { client, retrying, log, signal }: Asking,
): Promise<boolean | 'closed'> {
  try {
    const found = await retrying(digest, () => client.statBlob(repository, digest, signal));
    return found === size;
  } catch (error) {
    rethrowLasting(error, signal);
    log.debug(`${repository} does not say whether it has ${digest}: ${explain(error)}`);
    return error instanceof AuthenticationError ? 'closed' : false;
  }
}

/**
 * Asks a registry to take a blob over from another of its repositories.
 *
 * @returns The upload that the registry has begun if it does not; `undefined` if it refuses.
 */
export async function mountBlob(
  target: { readonly repository: string; readonly from: string },
  { digest }: Descriptor,
  { client, retrying, log, signal }: Asking,
): Promise<MountResult | undefined> {
  const { repository, from } = target;
  try {
    return await retrying(digest, () => client.mountBlob(repository, digest, from, signal));
  } catch (error) {
    // Whatever it is: the blob can still be sent.
    signal?.throwIfAborted();
    log.debug(`${digest} cannot be mounted from ${from}: ${explain(error)}`);
    return undefined;
  }
}

/** What helps only need not succeed; but without a registry, or a reader, nothing goes on. */
export function rethrowLasting(error: unknown, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
  if (isTransient(error)) throw error;
}
