import { BlobStore } from './blobs.ts';
import type { Ground } from './blobs.ts';
import { Lock } from './lock.ts';
import { ManifestStore } from './manifests.ts';
import { Paths } from './paths.ts';
import { Quota } from './quota.ts';
import { isKnown, listRepositories } from './repositories.ts';
import { UploadStore } from './uploads.ts';

/** Everything that a registry keeps, in one directory. */
export interface Store {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly uploads: UploadStore;
  /** The repositories that hold a manifest, in the order of their bytes. */
  repositories(): Promise<string[]>;
  /** Whether anything was ever pushed or mounted into a repository. */
  isKnown(repository: string): Promise<boolean>;
}

/** Opens a directory, which need not exist yet. @param maxBytes More does not fit into it. */
export function openStore(directory: string, maxBytes?: number): Store {
  const paths = new Paths(directory);
  const ground: Ground = { paths, lock: new Lock(), quota: new Quota(directory, maxBytes) };
  const blobs = new BlobStore(ground);
  return {
    blobs,
    manifests: new ManifestStore(ground, blobs),
    uploads: new UploadStore(ground, blobs),
    repositories: () => listRepositories(paths),
    isKnown: (repository) => isKnown(paths, repository),
  };
}
