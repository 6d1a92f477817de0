import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ByteStream } from '@reposure/core';
import { hasherOf } from '@reposure/core/oci';
import type { Digest } from '@reposure/core/oci';

import { isNoSpace, Refusal } from '../refusal.ts';
import { append } from './append.ts';
import type { Progress } from './append.ts';
import type { BlobStore, Ground } from './blobs.ts';
import { namesIn, orIfMissing, sizeOf, textOf } from './file.ts';
import { Turns } from './turns.ts';

/** One upload: `id` is a secret between the registry and the client that began it. */
export interface UploadKey {
  readonly repository: string;
  readonly id: string;
}

/** Bytes on their way in. */
export interface Incoming {
  /** Read once. */
  readonly chunks: ByteStream;
  /** Where the client says that they belong; without it, at the end of what is there. */
  readonly from?: number | undefined;
  /** Ends `chunks` with an error. */
  readonly cancel: () => void;
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** More uploads than this at a time are hashed again at their end: forgotten ones hold no memory. */
const maxProgresses = 1000;

/**
 * Uploads that are not blobs yet.
 *
 * The file on the disk is the truth: its size is how far an upload has come, after a broken
 * connection and after a restart. The hash is kept in memory while it lasts, and made again if not.
 */
export class UploadStore {
  readonly #ground: Ground;
  readonly #blobs: BlobStore;
  readonly #turns = new Turns();
  readonly #progresses = new Map<string, Progress>();

  constructor(ground: Ground, blobs: BlobStore) {
    this.#ground = ground;
    this.#blobs = blobs;
  }

  /** Begins an upload. */
  async create(repository: string): Promise<UploadKey> {
    const id = randomUUID();
    const folder = this.#ground.paths.upload(id);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'data'), '');
    await writeFile(join(folder, 'repository'), repository);
    return { repository, id };
  }

  /**
   * How many bytes have arrived. Who asks means to go on from there: a request that still adds bytes
   * is ended, it has most likely lost its client.
   *
   * @throws {Refusal} (404) if there is no such upload for this repository.
   */
  async size(key: UploadKey): Promise<number> {
    return this.#turns.take(key.id, ignore, () => this.#size(key));
  }

  /**
   * Adds bytes to an upload. What arrived stays if the client is lost; nothing stays on a full disk.
   *
   * @returns its size.
   */
  async append(key: UploadKey, incoming: Incoming): Promise<number> {
    return this.#turns.take(key.id, incoming.cancel, () => this.#append(key, incoming));
  }

  /**
   * Adds the last bytes, and makes the upload a blob if it is what `digest` says.
   *
   * @throws {Refusal} (400) if it is not; the upload is then gone.
   */
  async finish(key: UploadKey, digest: Digest, incoming: Incoming): Promise<void> {
    await this.#turns.take(key.id, incoming.cancel, async () => {
      const size = await this.#append(key, incoming);
      const actual = await this.#digest(key, size, digest);
      if (actual !== digest) {
        await this.#discard(key, size);
        throw new Refusal(400, 'DIGEST_INVALID', `the ${size} bytes are ${actual}, not ${digest}`);
      }
      await this.#blobs.publish(key.repository, digest, this.#data(key));
      await this.#discard(key, 0);
    });
  }

  /** Forgets an upload. */
  async remove(key: UploadKey): Promise<void> {
    await this.#turns.take(key.id, ignore, async () => this.#discard(key, await this.#size(key)));
  }

  /** Removes what nobody has added to for so long. */
  async removeOlderThan(ageMs: number): Promise<void> {
    for (const name of await namesIn(this.#ground.paths.uploads)) {
      const path = this.#ground.paths.upload(name);
      const data = await orIfMissing(stat(join(path, 'data')), undefined);
      const changed = data ?? (await orIfMissing(stat(path), undefined));
      if (changed && Date.now() - changed.mtimeMs > ageMs) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }

  async #size({ repository, id }: UploadKey): Promise<number> {
    if (idPattern.test(id)) {
      const folder = this.#ground.paths.upload(id);
      const owner = await textOf(join(folder, 'repository'));
      const size = await sizeOf(join(folder, 'data'));
      if (owner === repository && size !== undefined) return size;
    }
    throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `${repository} has no such upload; begin again`);
  }

  async #append(key: UploadKey, { chunks, from }: Incoming): Promise<number> {
    const size = await this.#size(key);
    if (from !== undefined && from !== size) throw outOfOrder(size, from);
    await using handle = await open(this.#data(key), 'r+');
    const progress = this.#progress(key, size);
    const growing = { handle, offset: size, progress, quota: this.#ground.quota };
    try {
      await append(growing, chunks);
    } catch (error) {
      // Kept, it would keep the disk full, and whoever sends it cannot go on anyway.
      if (isNoSpace(error)) await this.#discard(key, growing.offset);
      throw error;
    }
    return growing.offset;
  }

  /** The hash of what is there, if it can go on. */
  #progress({ id }: UploadKey, size: number): Progress | undefined {
    const known = this.#progresses.get(id);
    if (known?.hashedBytes === size) return known;
    this.#progresses.delete(id);
    if (size > 0) return undefined;
    const progress = { hasher: hasherOf(), hashedBytes: 0 };
    this.#progresses.set(id, progress);
    const [oldest] = this.#progresses.keys();
    if (this.#progresses.size > maxProgresses && oldest) this.#progresses.delete(oldest);
    return progress;
  }

  /** Ends the hash: of what came by, or else, after a restart or for sha512, of the file. */
  async #digest(key: UploadKey, size: number, like: Digest): Promise<Digest> {
    const known = this.#progresses.get(key.id);
    this.#progresses.delete(key.id);
    if (known?.hashedBytes === size && like.startsWith('sha256:')) return known.hasher.digest();
    const hasher = hasherOf(like);
    const file: ByteStream = createReadStream(this.#data(key));
    for await (const chunk of file) hasher.update(chunk);
    return hasher.digest();
  }

  async #discard({ id }: UploadKey, bytes: number): Promise<void> {
    this.#progresses.delete(id);
    await rm(this.#ground.paths.upload(id), { recursive: true, force: true });
    this.#ground.quota.release(bytes);
  }

  #data({ id }: UploadKey): string {
    return join(this.#ground.paths.upload(id), 'data');
  }
}

function ignore(): void {}

function outOfOrder(size: number, from: number): Refusal {
  const message = `the upload stands at ${size} bytes, not at ${from}; go on from there`;
  return new Refusal(416, 'BLOB_UPLOAD_INVALID', message, { headers: { Range: rangeOf(size) } });
}

/**
 * What has arrived, in the inclusive form of the `Range` header; nothing looks like one byte, here
 * as in Distribution, because clients parse it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export function rangeOf(size: number): string {
  return `0-${Math.max(size - 1, 0)}`;
}
