import { join } from 'node:path';

import { partsOf } from '@reposure/core/oci';
import type { Digest } from '@reposure/core/oci';

/**
 * Where things lie in the registry's directory.
 *
 * Content is stored once, under `blobs`; a repository holds links to what was pushed or mounted
 * into it, so that nobody reads another repository's content by knowing its digest. No component of
 * a repository's name begins with `_`, so `_layers` and its siblings are never repositories.
 */
export class Paths {
  readonly directory: string;
  readonly blobs: string;
  readonly repositories: string;
  readonly uploads: string;

  constructor(directory: string) {
    this.directory = directory;
    this.blobs = join(directory, 'blobs');
    this.repositories = join(directory, 'repositories');
    this.uploads = join(directory, 'uploads');
  }

  /** The bytes themselves. */
  content(digest: Digest): string {
    const { algorithm, hex } = partsOf(digest);
    return join(this.blobs, algorithm, hex);
  }

  /** What there is under a repository's name. */
  repository(repository: string): string {
    return join(this.repositories, repository);
  }

  /** Says that a blob belongs to a repository; the file is empty. */
  layer(repository: string, digest: Digest): string {
    return this.#link(repository, '_layers', digest);
  }

  /** Says that a manifest belongs to a repository; the file holds its media type. */
  manifest(repository: string, digest: Digest): string {
    return this.#link(repository, '_manifests', digest);
  }

  /** The tags of a repository: one file each. */
  tags(repository: string): string {
    return join(this.repository(repository), '_tags');
  }

  /** The file holds the digest that the tag stands for. */
  tag(repository: string, tag: string): string {
    return join(this.tags(repository), tag);
  }

  /** Manifests that name `subject`: a file each, called by its digest. */
  referrers(repository: string, subject: Digest): string {
    return this.#link(repository, '_referrers', subject);
  }

  /** Says that the manifest `digest` names `subject`; the file is empty. */
  referrer(repository: string, subject: Digest, digest: Digest): string {
    return join(this.referrers(repository, subject), digest);
  }

  /** A folder with the bytes that have arrived and the repository that they are for. */
  upload(id: string): string {
    return join(this.uploads, id);
  }

  #link(repository: string, kind: string, digest: Digest): string {
    const { algorithm, hex } = partsOf(digest);
    return join(this.repository(repository), kind, algorithm, hex);
  }
}
