import { readFile } from 'node:fs/promises';

import {
  childrenOf,
  hasherOf,
  isDigest,
  isIndexType,
  isManifestType,
  isTag,
} from '@reposure/core/oci';
import type { Descriptor, Digest, Document } from '@reposure/core/oci';

import { Refusal } from '../refusal.ts';
import { reclaim } from './blobs.ts';
import type { BlobStore, Ground, StoredContent } from './blobs.ts';
import { namesIn, removeFile, sizeOf, textOf, writeWhole } from './file.ts';

/** A manifest or index on the disk. */
export interface StoredManifest extends StoredContent {
  readonly digest: Digest;
  readonly mediaType: string;
}

/** The manifest that a manifest says it is about. */
export function subjectOf({ content }: Document): Digest | undefined {
  return (content.kind === 'index' ? content.index : content.manifest).subject?.digest;
}

/** The manifests and tags of all repositories. */
export class ManifestStore {
  readonly #ground: Ground;
  readonly #blobs: BlobStore;

  constructor(ground: Ground, blobs: BlobStore) {
    this.#ground = ground;
    this.#blobs = blobs;
  }

  /** @param reference A tag or a digest. */
  async find(repository: string, reference: string): Promise<StoredManifest | undefined> {
    const { paths } = this.#ground;
    const digest = isDigest(reference) ? reference : await this.#resolve(repository, reference);
    if (!digest) return undefined;
    const mediaType = await textOf(paths.manifest(repository, digest));
    const path = paths.content(digest);
    const size = await sizeOf(path);
    if (mediaType === undefined || size === undefined) return undefined;
    return { digest, mediaType, path, size };
  }

  /**
   * Stores a manifest, names it, and remembers what it refers to.
   *
   * @param reference A tag, or the digest that the bytes must have.
   * @throws {Refusal} if that digest is not theirs, or something below it is not here.
   */
  async put(repository: string, reference: string, document: Document): Promise<Digest> {
    if (!isDigest(reference) && !isTag(reference)) {
      const message = `want a tag of at most 128 letters, digits and _ . -, not "${reference}"`;
      throw new Refusal(400, 'MANIFEST_INVALID', message);
    }
    const digest = digestFor(reference, document);
    const { paths, lock } = this.#ground;
    await lock.run(async () => {
      await this.#checkChildren(repository, document);
      await this.#write(digest, document.bytes);
      const { mediaType } = document.descriptor;
      await writeWhole(paths.manifest(repository, digest), mediaType, paths.uploads);
      const subject = subjectOf(document);
      if (subject) {
        await writeWhole(paths.referrer(repository, subject, digest), '', paths.uploads);
      }
      // Last, so that a tag never names what is not complete.
      if (!isDigest(reference)) {
        await writeWhole(paths.tag(repository, reference), digest, paths.uploads);
      }
    });
    return digest;
  }

  /** The tags of a repository, in the order of their bytes. */
  async tags(repository: string): Promise<string[]> {
    const names = await namesIn(this.#ground.paths.tags(repository));
    return names.filter(isTag).toSorted();
  }

  /** Forgets a name; the manifest stays. @returns whether there was such a tag. */
  async removeTag(repository: string, tag: string): Promise<boolean> {
    if (!isTag(tag)) return false;
    return this.#ground.lock.run(() => removeFile(this.#ground.paths.tag(repository, tag)));
  }

  /**
   * Removes a manifest with all its tags, tags first.
   *
   * @param subject What the manifest refers to, so that it is not listed there any longer.
   * @returns whether it was there.
   */
  async remove(repository: string, digest: Digest, subject?: Digest): Promise<boolean> {
    const { paths, lock } = this.#ground;
    return lock.run(async () => {
      for (const tag of await this.tags(repository)) {
        if ((await this.#resolve(repository, tag)) === digest) {
          await removeFile(paths.tag(repository, tag));
        }
      }
      if (subject) await removeFile(paths.referrer(repository, subject, digest));
      const wasThere = await removeFile(paths.manifest(repository, digest));
      await reclaim(this.#ground, digest);
      return wasThere;
    });
  }

  /** The manifests here that name `subject`, which may itself be missing. */
  async referrers(repository: string, subject: Digest): Promise<StoredManifest[]> {
    const names = await namesIn(this.#ground.paths.referrers(repository, subject));
    const found = await Promise.all(
      names
        .filter(isDigest)
        .toSorted()
        .map((digest) => this.find(repository, digest)),
    );
    return found.filter((manifest) => manifest !== undefined);
  }

  /** The bytes of a manifest that was found. */
  async read({ path }: StoredManifest): Promise<Buffer> {
    return readFile(path);
  }

  async #resolve(repository: string, tag: string): Promise<Digest | undefined> {
    if (!isTag(tag)) return undefined;
    const text = await textOf(this.#ground.paths.tag(repository, tag));
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  async #write(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { paths, quota } = this.#ground;
    const path = paths.content(digest);
    if ((await sizeOf(path)) !== undefined) return;
    await quota.ready();
    quota.take(bytes.byteLength);
    try {
      await writeWhole(path, bytes, paths.uploads);
    } catch (error) {
      quota.release(bytes.byteLength);
      throw error;
    }
  }

  async #checkChildren(repository: string, document: Document): Promise<void> {
    for (const child of childrenOf(document)) {
      if (await this.#hasChild(repository, child, document.content.kind)) continue;
      throw new Refusal(
        400,
        'MANIFEST_BLOB_UNKNOWN',
        `${child.digest}, which the manifest refers to, is not in ${repository}; push it first`,
      );
    }
  }

  async #hasChild(
    repository: string,
    child: Descriptor,
    kind: Document['content']['kind'],
  ): Promise<boolean> {
    // A layer that says where else it is to be had need not be here (Windows base layers).
    if (child.urls && child.urls.length > 0) return true;
    if (kind === 'manifest')
      return (await this.#blobs.find(repository, child.digest)) !== undefined;
    if (await this.find(repository, child.digest)) return true;
    // An index may list other things than images: BuildKit's cache lists layers.
    if (isManifestType(child.mediaType) || isIndexType(child.mediaType)) return false;
    return (await this.#blobs.find(repository, child.digest)) !== undefined;
  }
}

function digestFor(reference: string, { bytes }: Document): Digest {
  const hasher = hasherOf(isDigest(reference) ? reference : undefined);
  hasher.update(bytes);
  const digest = hasher.digest();
  if (isDigest(reference) && reference !== digest) {
    const message = `the manifest is ${digest}, not ${reference}`;
    throw new Refusal(400, 'DIGEST_INVALID', message);
  }
  return digest;
}
