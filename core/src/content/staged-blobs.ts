import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { ContentMismatchError } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { readFileFrom, writeFrom } from './file-bytes.ts';
import { blobPathOf } from './oci-source.ts';
import { abortable } from './temporary.ts';

/** Blobs that arrived, in a folder laid out as an OCI layout; each is whole or not there. */
export class StagedBlobs {
  readonly folder: string;
  readonly #held = new Set<Digest>();

  /** @param folder Exists, and is ours alone. */
  constructor(folder: string) {
    this.folder = folder;
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
