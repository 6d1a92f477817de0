import { InputError } from '../errors.ts';
import { isDigest, isRepository, isTag } from '../oci/index.ts';

/**
 * The path of something in a repository; every part is checked before it becomes a path.
 *
 * @throws {InputError} if no registry accepts `repository` as a name.
 */
export function repositoryPath(repository: string, rest: string): string {
  if (!isRepository(repository)) {
    throw new InputError(
      `Cannot use repository "${repository}": want lower-case letters, digits and single . _ - between them, parts divided by /`,
    );
  }
  return `/v2/${repository}/${rest}`;
}

/** @throws {InputError} if `digest` or `repository` is not one. */
export function blobPath(repository: string, digest: string): string {
  return repositoryPath(repository, `blobs/${checkedDigest(digest)}`);
}

/** @throws {InputError} if `reference` is neither a tag nor a digest. */
export function manifestPath(repository: string, reference: string): string {
  if (!isTag(reference) && !isDigest(reference)) {
    throw new InputError(`Cannot use "${reference}" as a reference: want a tag or a digest`);
  }
  return repositoryPath(repository, `manifests/${reference}`);
}

/**
 * `digest` itself, once its syntax is known.
 *
 * @throws {InputError} if it is not a digest (GHSA-qv35-3gw6-8q4j: one became a path).
 */
export function checkedDigest(digest: string): string {
  if (isDigest(digest)) return digest;
  throw new InputError(`Cannot use "${digest}" as a digest: want sha256:<64 hex>`);
}
