import { childrenOf } from '../oci/index.ts';
import type { Digest, Document } from '../oci/index.ts';
import { mapConcurrently } from './concurrency.ts';
import type { Destination } from './destination.ts';
import type { ImageGraph } from './graph.ts';
import type { Findings, Asking } from './plan-questions.ts';
import { refuseUnconfirmed } from './unconfirmed.ts';

/** What is to be named by a push, and under which names. */
export interface DocumentsToSend {
  /** To be there before the root, every one after those that it refers to. */
  readonly children: readonly Document[];
  readonly root: Document;
  /** Tags that do not name the root yet, or its digest if it has no tag and is not there. */
  readonly references: readonly string[];
}

/**
 * Which manifests and tags are not there yet. One whose content had to be brought is sent again
 * even if it is there: it was there for nothing, and some registries forgot its links to the blobs.
 */
export function documentsToSend(
  { documents, root }: ImageGraph,
  { tags }: Destination,
  findings: Findings,
): DocumentsToSend {
  const brought = new Set<Digest>(findings.missing.map(({ digest }) => digest));
  const isStale = (document: Document): boolean =>
    childrenOf(document).some(({ digest }) => brought.has(digest));
  const children: Document[] = [];
  for (const document of documents) {
    const { digest } = document.descriptor;
    if (document === root || (findings.documents.has(digest) && !isStale(document))) continue;
    brought.add(digest);
    children.push(document);
  }
  const { digest } = root.descriptor;
  const isNamed = (tag: string): boolean => findings.tags.get(tag) === digest;
  const names = tags.length > 0 ? tags : [digest];
  const isThere = tags.length > 0 ? isNamed : () => findings.documents.has(digest);
  return { children, root, references: names.filter((name) => isStale(root) || !isThere(name)) };
}

/** How many bytes the documents have that are to be sent. */
export function bytesOf({ children, root, references }: DocumentsToSend): number {
  const sizes = children.map(({ bytes }) => bytes.byteLength);
  return sizes.reduce((sum, size) => sum + size, references.length * root.bytes.byteLength);
}

/**
 * Sends manifests, then indexes, then the root under each of its names, each of which the registry
 * confirms.
 *
 * @throws {ContentMismatchError} if a name stands for something else in the end.
 */
export async function sendDocuments(
  { children, root, references }: DocumentsToSend,
  { repository }: Destination,
  concurrency: number,
  asking: Asking,
): Promise<void> {
  const { client, retrying, signal } = asking;
  const send = (document: Document, reference: string): Promise<void> =>
    retrying(reference, () => client.putManifest(repository, reference, document, signal));
  const sendChild = (document: Document): Promise<void> =>
    send(document, document.descriptor.digest);
  const name = async (reference: string): Promise<void> => {
    await send(root, reference);
    await confirm(repository, reference, root, asking);
  };
  const manifests = children.filter(({ content }) => content.kind === 'manifest');
  await mapConcurrently(manifests, concurrency, sendChild);
  // Indexes may refer to each other: one after the other, in their order.
  await mapConcurrently(
    children.filter(({ content }) => content.kind === 'index'),
    1,
    sendChild,
  );
  const [first, ...others] = references;
  // The first alone: it brings the manifest, which the others only name.
  if (first !== undefined) await name(first);
  await mapConcurrently(others, concurrency, name);
}

async function confirm(
  repository: string,
  reference: string,
  { descriptor }: Document,
  { client, retrying, signal }: Asking,
): Promise<void> {
  const stored = await retrying(reference, () =>
    client.statManifest(repository, reference, signal),
  );
  refuseUnconfirmed(`${repository}:${reference}`, stored?.digest, descriptor.digest);
}
