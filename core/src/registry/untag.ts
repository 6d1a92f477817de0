import { randomUUID } from 'node:crypto';

import { InputError, NotFoundError, UnsupportedError } from '../errors.ts';
import { ContentInvalidError, digestOf, documentOf, isTag, mediaTypes } from '../oci/index.ts';
import type { Document } from '../oci/index.ts';
import { ask } from './answer.ts';
import type { Blobs } from './blobs.ts';
import type { Manifests } from './manifests.ts';
import { manifestPath } from './path.ts';
import { RegistryError } from './registry-error.ts';
import type { Transport } from './transport.ts';
import type { Uploads } from './uploads.ts';

const emptyJson = new TextEncoder().encode('{}');
const emptyDescriptor = {
  mediaType: mediaTypes.ociEmpty,
  digest: digestOf(emptyJson),
  size: emptyJson.byteLength,
};

/** What removing a tag takes. */
export interface UntagParts {
  readonly request: Transport;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly manifests: Manifests;
}

/** Which tag is to go. */
export interface UntagTarget {
  readonly repository: string;
  readonly tag: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes one tag and only it: whatever else stands for the same manifest stays.
 *
 * @throws {InputError} if it is not a tag.
 * @throws {NotFoundError} if the tag does not exist.
 * @throws {UnsupportedError} if the registry deletes nothing; the tag is then as it was.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-tags
 */
export async function untag(parts: UntagParts, target: UntagTarget): Promise<void> {
  const { repository, tag, signal } = target;
  // A digest would be deleted with all of its tags.
  if (!isTag(tag)) throw new InputError(`Cannot delete "${tag}" as a tag: it is none`);
  if (!(await parts.manifests.stat(repository, tag, signal))) throw missing(target);
  const path = manifestPath(repository, tag);
  const asked = { method: 'DELETE' as const, path, signal };
  const response = await ask(parts.request, asked, [200, 202, 204, 400, 404, 405, 501]);
  await response.discard();
  if (response.status === 404) throw missing(target);
  if (response.status >= 400) await untagByManifest(parts, target);
}

// Deleting the manifest would take every tag of it, so the tag is led away from it first.
async function untagByManifest(parts: UntagParts, target: UntagTarget): Promise<void> {
  const { repository, tag, signal } = target;
  const { manifests } = parts;
  try {
    await storeEmptyBlob(parts, target);
    // A registry that takes manifests but deletes none must be found out while the tag is intact.
    const trial = uniqueManifest();
    await manifests.put(repository, trial.descriptor.digest, trial, signal);
    await manifests.delete(repository, trial.descriptor.digest, signal);
  } catch (cause) {
    throw isRefusal(cause) ? refused(target, cause) : cause;
  }
  const original = await readable(manifests.get(repository, tag, signal));
  const empty = uniqueManifest();
  await manifests.put(repository, tag, empty, signal);
  try {
    await manifests.delete(repository, empty.descriptor.digest, signal);
  } catch (error) {
    // Without the signal: it may be what made the deletion fail.
    if (original) await manifests.put(repository, tag, original).catch(() => {});
    throw error;
  }
}

// What is of an old kind can be deleted all the same; it only cannot be put back.
async function readable(document: Promise<Document>): Promise<Document | undefined> {
  return await document.catch((error: unknown) => {
    if (error instanceof ContentInvalidError) return undefined;
    throw error;
  });
}

async function storeEmptyBlob(parts: UntagParts, target: UntagTarget): Promise<void> {
  const { repository, signal } = target;
  if ((await parts.blobs.stat(repository, emptyDescriptor.digest, signal)) !== undefined) return;
  const upload = await parts.uploads.start(repository, signal);
  await parts.uploads.finish(upload, emptyDescriptor.digest, { body: emptyJson, signal });
}

function uniqueManifest(): Document {
  return documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'application/vnd.puccini.reposure.deleted.v1',
    config: emptyDescriptor,
    layers: [emptyDescriptor],
    annotations: { 'cloud.puccini.reposure.deleted': randomUUID() },
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && [400, 405, 501].includes(error.status);
}

function missing({ repository, tag }: UntagTarget): NotFoundError {
  return new NotFoundError(`Cannot delete ${repository}:${tag}: there is no such tag`);
}

function refused({ repository, tag }: UntagTarget, cause: unknown): UnsupportedError {
  return new UnsupportedError(
    `Cannot delete ${repository}:${tag}: the registry does not delete; want deletion enabled in its configuration`,
    { cause },
  );
}
