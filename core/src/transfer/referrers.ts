import { LimitExceededError } from '../bytes.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { isTag, partsOf } from '../oci/index.ts';
import type { Descriptor, Digest, Document } from '../oci/index.ts';
import { mapConcurrently } from './concurrency.ts';
import { readGraph } from './graph.ts';
import type { ImageGraph } from './graph.ts';
import { questionsAtOnce } from './options.ts';
import { isNothingThere } from './registry-source.ts';
import type { RemoteRepository } from './remote-repository.ts';

/** Something that is about a manifest: a signature, an attestation, a list of parts. */
export interface Referrer {
  readonly graph: ImageGraph;
  /** By which it is found, where it does not name its subject itself. */
  readonly tag?: string | undefined;
}

/**
 * What cosign puts behind the digest of what it signs.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.4.1/specs/SIGNATURE_SPEC.md#tag-based-discovery
 */
const cosignSuffixes = ['sig', 'att', 'sbom'];

// A signature of a signature of a list of parts: whatever nests further is made to exhaust us.
const maxGenerations = 4;
const maxReferrers = 1000;

/**
 * Finds what refers to manifests, what refers to that, and so on: by the referrers API or the tag
 * that stands for it, and by the tags of cosign.
 *
 * @returns By generation: what refers to the manifests themselves comes first.
 * @throws {LimitExceededError} if there are more than a copy takes.
 */
export async function findReferrers(
  repository: RemoteRepository,
  manifests: readonly Digest[],
  log: Log = silent,
): Promise<readonly (readonly Referrer[])[]> {
  const seen = new Set<Digest>(manifests);
  const generations: Referrer[][] = [];
  let subjects = manifests;
  let count = 0;
  while (subjects.length > 0) {
    const lists = await mapConcurrently(subjects, questionsAtOnce / 4, (subject) =>
      entriesOf(repository, subject),
    );
    // A tag counts even if its content is known: two of them may name the same.
    const entries = lists
      .flat()
      .filter(({ root, tag }) => tag !== undefined || !seen.has(root.digest));
    const names = unique(entries);
    count += names.length;
    const isTooDeep = generations.length === maxGenerations && names.length > 0;
    if (isTooDeep || count > maxReferrers) throw tooMany(repository);
    const found = await readAll(repository, names, log);
    if (found.length > 0) generations.push(found);
    subjects = newOnes(found, seen);
  }
  return generations;
}

interface Entry {
  readonly root: Descriptor;
  readonly tag?: string | undefined;
}

async function entriesOf(repository: RemoteRepository, subject: Digest): Promise<Entry[]> {
  const { algorithm, hex } = partsOf(subject);
  const tags = cosignSuffixes.map((suffix) => `${algorithm}-${hex}.${suffix}`).filter(isTag);
  const [listed, ...tagged] = await Promise.all([
    repository.referrers(subject),
    ...tags.map((tag) => repository.stat(tag)),
  ]);
  const named = tags.map((tag, at) => ({ root: tagged[at], tag }));
  return [
    ...listed.map((root) => ({ root })),
    ...named.flatMap(({ root, tag }) => (root ? [{ root, tag }] : [])),
  ];
}

/** Each name once, and what is found under a name not once more without one. */
function unique(entries: readonly Entry[]): Entry[] {
  const tagged = new Set(entries.flatMap(({ root, tag }) => (tag ? [root.digest] : [])));
  const wanted = entries.filter(({ root, tag }) => tag !== undefined || !tagged.has(root.digest));
  return [...new Map(wanted.map((entry) => [entry.tag ?? entry.root.digest, entry])).values()];
}

async function readAll(
  repository: RemoteRepository,
  entries: readonly Entry[],
  log: Log,
): Promise<Referrer[]> {
  const found = await mapConcurrently(entries, questionsAtOnce, async ({ root, tag }) => {
    const named = await documentThere(repository, root.digest);
    if (named) {
      const graph = await readGraph(named.descriptor, (part) => repository.read(part));
      return { graph, tag };
    }
    // A tag in place of the API goes on listing what was deleted.
    log.warn(`${root.digest} is listed with ${repository.description}, but is not there`);
    return undefined;
  });
  return found.filter((referrer) => referrer !== undefined);
}

async function documentThere(
  repository: RemoteRepository,
  digest: Digest,
): Promise<Document | undefined> {
  try {
    return await repository.document(digest);
  } catch (error) {
    if (isNothingThere(error)) return undefined;
    throw error;
  }
}

function newOnes(found: readonly Referrer[], seen: Set<Digest>): Digest[] {
  const digests = found.flatMap(({ graph }) =>
    graph.documents.map(({ descriptor }) => descriptor.digest),
  );
  const fresh = [...new Set(digests)].filter((digest) => !seen.has(digest));
  for (const digest of fresh) seen.add(digest);
  return fresh;
}

function tooMany({ description }: RemoteRepository): LimitExceededError {
  return new LimitExceededError(
    `Cannot copy what refers to ${description}: there is more than ${maxReferrers} of it, or it refers to itself more than ${maxGenerations} times over; want --no-referrers`,
  );
}
