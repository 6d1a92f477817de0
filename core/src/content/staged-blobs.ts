import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { ContentMismatchError, verified } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { readFileFrom, writeFrom } from './file-bytes.ts';
import { blobPathOf, blobsFolder } from './oci-source.ts';
import { abortable } from './temporary.ts';

/** Blobs that arrived, in a folder laid out as an OCI layout; each is whole or not there. */
export class StagedBlobs {
  readonly folder: string;
  readonly #held = new Set<Digest>();

  /** @param folder Exists, and is ours alone. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** Takes over what another process had before it was killed; each counts once it is {@link recover}ed. */
  async adopt(folder: string): Promise<void> {
    const blobs = join(folder, blobsFolder);
    for (const algorithm of await readdir(blobs).catch(() => [])) {
      for (const name of await readdir(join(blobs, algorithm)).catch(() => [])) {
        if (name.includes('.')) continue; // was being written
        const path = join(blobsFolder, algorithm, name);
        await mkdir(dirname(join(this.folder, path)), { recursive: true });
        // Another one may take it over at the same time.
        await rename(join(folder, path), join(this.folder, path)).catch(() => {});
      }
    }
  }

  /** @returns Whether a blob was adopted, and is whole: then it is here. */
  async recover(descriptor: Descriptor): Promise<boolean> {
    const path = join(this.folder, blobPathOf(descriptor));
    if (await isWhole(path, descriptor)) this.#held.add(descriptor.digest);
    return this.#held.has(descriptor.digest);
  }

  /** What is here. */
  get held(): ReadonlySet<Digest> {
    return this.#held;
  }

  /** @throws {ContentMismatchError} if the stream is not as long as the descriptor says. */
  async write(descriptor: Descriptor, content: ByteStream, signal?: AbortSignal): Promise<void> {
    const path = join(this.folder, blobPathOf(descriptor));
    await mkdir(dirname(path), { recursive: true });
    const partial = `${path}.${randomUUID()}`;
    try {
      await writeNew(partial, descriptor, abortable(content, signal));
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    this.#held.add(descriptor.digest);
  }

  read(descriptor: Descriptor, signal?: AbortSignal): ByteStream {
    return readFileFrom(join(this.folder, blobPathOf(descriptor)), 0, signal);
  }
}

/** Whether a file is there, and what its descriptor says: what an interrupted tool left must not stay for ever. */
export async function isWhole(path: string, descriptor: Descriptor): Promise<boolean> {
  try {
    for await (const _ of verified(readFileFrom(path), descriptor));
    return true;
  } catch {
    return false;
  }
}

/** Refuses content that is not as long as it should be: whoever writes verifies digests, too. */
export function checkSize({ digest, size }: Descriptor, written: number): void {
  if (written === size) return;
  throw new ContentMismatchError(`Cannot write ${digest}: it has ${written} bytes; want ${size}`);
}

async function writeNew(path: string, descriptor: Descriptor, content: ByteStream): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    checkSize(descriptor, await writeFrom(handle, 0, content));
  } finally {
    await handle.close();
  }
}
