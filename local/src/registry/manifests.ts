import type { IncomingMessage } from 'node:http';

import { collect, LimitExceededError } from '@reposure/core';
import { ContentInvalidError, isDigest, maxManifestBytes, parseDocument } from '@reposure/core/oci';
import type { Document } from '@reposure/core/oci';

import { chunksOf } from './body.ts';
import type { Answer, Exchange } from './exchange.ts';
import { Refusal } from './refusal.ts';
import { subjectOf } from './store/manifests.ts';
import type { StoredManifest } from './store/manifests.ts';

/**
 * `GET` and `HEAD` of a manifest by tag or digest; its type is what it was pushed as, whatever
 * `Accept` says.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export async function getManifest(exchange: Exchange): Promise<Answer> {
  const manifest = await found(exchange);
  const headers = {
    'Content-Type': manifest.mediaType,
    'Docker-Content-Digest': manifest.digest,
    ETag: `"${manifest.digest}"`,
  };
  if (exchange.request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
  return { status: 200, headers, body: { path: manifest.path, size: manifest.size } };
}

/**
 * `PUT`: stores a manifest under a tag or its digest.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
 */
export async function putManifest({
  store,
  request,
  repository,
  reference,
}: Exchange): Promise<Answer> {
  const document = parse(await bytesOf(request), request.headers['content-type']);
  const digest = await store.manifests.put(repository, reference, document);
  const subject = subjectOf(document);
  return {
    status: 201,
    headers: {
      Location: `/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(subject ? { 'OCI-Subject': subject } : {}),
    },
  };
}

/** `DELETE`: by tag only the tag, by digest the manifest and all its tags. */
export async function deleteManifest(exchange: Exchange): Promise<Answer> {
  const { store, repository, reference } = exchange;
  if (isDigest(reference)) {
    const manifest = await found(exchange);
    const { manifests } = store;
    const document = parse(await manifests.read(manifest), manifest.mediaType);
    await manifests.remove(repository, reference, subjectOf(document));
  } else if (!(await store.manifests.removeTag(repository, reference))) {
    throw unknown(exchange);
  }
  return { status: 202 };
}

async function found(exchange: Exchange): Promise<StoredManifest> {
  const manifest = await exchange.store.manifests.find(exchange.repository, exchange.reference);
  if (!manifest) throw unknown(exchange);
  return manifest;
}

function unknown({ repository, reference }: Exchange): Refusal {
  return new Refusal(404, 'MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  try {
    return await collect(chunksOf(request), 'the manifest', maxManifestBytes);
  } catch (cause) {
    if (!(cause instanceof LimitExceededError)) throw cause;
    throw new Refusal(413, 'MANIFEST_INVALID', cause.message, { cause });
  }
}

function parse(bytes: Uint8Array, contentType: string | undefined): Document {
  const [mediaType = ''] = (contentType ?? '').split(';');
  try {
    return parseDocument(bytes, mediaType.trim() || undefined);
  } catch (cause) {
    if (!(cause instanceof ContentInvalidError)) throw cause;
    throw new Refusal(400, 'MANIFEST_INVALID', cause.message, { cause });
  }
}
