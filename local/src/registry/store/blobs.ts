import type { Digest } from '@reposure/core/oci';

import { moveTo, removeFile, sizeOf, writeWhole } from './file.ts';
import type { Lock } from './lock.ts';
import type { Paths } from './paths.ts';
import type { Quota } from './quota.ts';
import { isLinked } from './repositories.ts';

/** Bytes on the disk that are complete and verified. */
export interface StoredContent {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** What the stores of one directory share. */
export interface Ground {
  readonly paths: Paths;
  /** Held by whoever changes links or content, so that nothing is reclaimed that gets a link. */
  readonly lock: Lock;
  readonly quota: Quota;
}

/** The blobs of all repositories. */
export class BlobStore {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Finds a blob that belongs to this repository. */
  async find(repository: string, digest: Digest): Promise<StoredContent | undefined> {
    const { paths } = this.#ground;
    if ((await sizeOf(paths.layer(repository, digest))) === undefined) return undefined;
    const path = paths.content(digest);
    const size = await sizeOf(path);
    return size === undefined ? undefined : { path, size };
  }

  /**
   * Makes a file a blob of this repository: content first, so that a link is never without it.
   *
   * @param file Verified to be what `digest` says, counted by the quota; it is moved away.
   */
  async publish(repository: string, digest: Digest, file: string): Promise<void> {
    const { paths, lock, quota } = this.#ground;
    await lock.run(async () => {
      const before = await sizeOf(paths.content(digest));
      await moveTo(paths.content(digest), file);
      quota.release(before ?? 0);
      await this.#link(repository, digest);
    });
  }

  /** Lets `repository` have a blob of `from`. @returns whether `from` has it. */
  async mount(repository: string, digest: Digest, from: string): Promise<boolean> {
    return this.#ground.lock.run(async () => {
      if (!(await this.find(from, digest))) return false;
      await this.#link(repository, digest);
      return true;
    });
  }

  /** Takes a blob from this repository. @returns whether it had it. */
  async remove(repository: string, digest: Digest): Promise<boolean> {
    return this.#ground.lock.run(async () => {
      const wasThere = await removeFile(this.#ground.paths.layer(repository, digest));
      await reclaim(this.#ground, digest);
      return wasThere;
    });
  }

  async #link(repository: string, digest: Digest): Promise<void> {
    const { paths } = this.#ground;
    await writeWhole(paths.layer(repository, digest), '', paths.uploads);
  }
}

/** Removes content that no repository holds any more; the caller holds the lock. */
export async function reclaim({ paths, quota }: Ground, digest: Digest): Promise<void> {
  const path = paths.content(digest);
  const size = await sizeOf(path);
  if (size === undefined || (await isLinked(paths, digest))) return;
  if (await removeFile(path)) quota.release(size);
}
