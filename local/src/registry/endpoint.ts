import { isRepository, parseDigest } from '@reposure/core/oci';
import type { Digest } from '@reposure/core/oci';

import { Refusal } from './refusal.ts';

/** The places of the distribution API. */
export type EndpointKind =
  | 'base'
  | 'blob'
  | 'catalog'
  | 'manifest'
  | 'referrers'
  | 'tags'
  | 'upload'
  | 'uploads';

/** What a request's path names. */
export interface Endpoint {
  readonly kind: EndpointKind;
  /** Empty for `base` and `catalog`. */
  readonly repository: string;
  /** The digest, the tag or the id of the upload at the end of the path. */
  readonly reference: string;
}

// From the end of the path, because a repository may well be called `a/blobs/b`.
const patterns: readonly (readonly [EndpointKind, RegExp])[] = [
  ['base', /^\/v2\/?$/],
  ['catalog', /^\/v2\/_catalog$/],
  ['tags', /^\/v2\/(.+)\/tags\/list$/],
  ['uploads', /^\/v2\/(.+)\/blobs\/uploads\/?$/],
  ['upload', /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/],
  ['blob', /^\/v2\/(.+)\/blobs\/([^/]+)$/],
  ['manifest', /^\/v2\/(.+)\/manifests\/([^/]+)$/],
  ['referrers', /^\/v2\/(.+)\/referrers\/([^/]+)$/],
];

/**
 * Reads a path. Repositories and digests have been checked when it returns; the store checks tags
 * and ids of uploads before they become part of a file's path.
 *
 * @param path Without the query, as it was sent.
 * @throws {Refusal} if it is no path of the API, or a name in it is not one.
 */
export function parseEndpoint(path: string): Endpoint {
  const decoded = decode(path);
  for (const [kind, pattern] of patterns) {
    const match = pattern.exec(decoded);
    if (!match) continue;
    const [, repository = '', reference = ''] = match;
    const endpoint = { kind, repository, reference };
    checkNames(endpoint);
    return endpoint;
  }
  throw new Refusal(404, 'UNSUPPORTED', 'there is nothing here; the API begins at /v2/');
}

/**
 * Reads a digest that a client sent.
 *
 * @throws {Refusal} (400) if it is none.
 */
export function digestFrom(text: string): Digest {
  try {
    return parseDigest(text);
  } catch (cause) {
    const message = 'want a digest sha256:<64 hex> or sha512:<128 hex>';
    throw new Refusal(400, 'DIGEST_INVALID', message, { cause });
  }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new Refusal(400, 'NAME_INVALID', 'the path is not percent-encoded UTF-8', { cause });
  }
}

function checkNames({ kind, repository, reference }: Endpoint): void {
  if (kind === 'base' || kind === 'catalog') return;
  if (!isRepository(repository)) {
    const message = 'want a repository of lower-case letters, digits and single . _ - /';
    throw new Refusal(400, 'NAME_INVALID', message);
  }
  if (kind === 'blob' || kind === 'referrers') digestFrom(reference);
  // Only a digest has a colon. A tag that cannot be is one that is not there, says the conformance
  // suite, so the store looks at it.
  if (kind === 'manifest' && reference.includes(':')) digestFrom(reference);
}
