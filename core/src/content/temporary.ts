import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { writeFrom } from './file-bytes.ts';

/** A folder of our own for what cannot be held in memory; only this user may read it. */
export class TemporaryFolder {
  readonly path: string;
  #count = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param parent An existing folder; the system's own by default. */
  static async make(parent = tmpdir()): Promise<TemporaryFolder> {
    return new TemporaryFolder(await mkdtemp(join(parent, 'reposure-')));
  }

  /** A path in the folder that nobody else gets. */
  next(): string {
    return join(this.path, String(this.#count++));
  }

  /** Puts a stream into a new file, 0600, and returns its path. */
  async spool(content: ByteStream, signal?: AbortSignal): Promise<string> {
    const path = this.next();
    const handle = await open(path, 'wx', 0o600);
    try {
      await writeFrom(handle, 0, abortable(content, signal));
    } finally {
      await handle.close();
    }
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Stops between two chunks once the signal says so. */
export async function* abortable(
  content: ByteStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  signal?.throwIfAborted();
  for await (const chunk of content) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
