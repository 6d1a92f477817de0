import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { writing } from './disk-full.ts';
import type { Place } from './disk-full.ts';
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
    const place = { path: parent, isTemporary: true };
    return writing(
      place,
      async () => new TemporaryFolder(await mkdtemp(join(parent, 'reposure-'))),
    );
  }

  /** What the folder is called if there is no room in it. */
  get place(): Place {
    return { path: this.path, isTemporary: true };
  }

  /** A path in the folder that nobody else gets. */
  next(): string {
    return join(this.path, String(this.#count++));
  }

  /** Puts a stream into a new file, 0600, and returns its path. */
  async spool(content: ByteStream, signal?: AbortSignal): Promise<string> {
    const path = this.next();
    return writing(this.place, async () => {
      const handle = await open(path, 'wx', 0o600);
      try {
        await writeFrom(handle, 0, abortable(content, signal));
      } finally {
        await handle.close();
      }
      return path;
    });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/**
 * Stops as soon as the signal says so, also while the stream is silent: standard input may be so for
 * ever. It is destroyed then, if it can be.
 */
export async function* abortable(
  content: ByteStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  if (!signal) return yield* content;
  signal.throwIfAborted();
  const iterator = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await nextOf(iterator, signal);
      if (done) return;
      yield value;
    }
  } finally {
    if (signal.aborted) abandon(content, iterator);
    else await iterator.return?.();
  }
}

/** What comes next, unless the signal comes first. */
async function nextOf<T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T>> {
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
  const stop = (): void => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  try {
    iterator.next().then(resolve, reject);
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Lets go of a stream without waiting: a generator ends only after the read that it waits for. */
function abandon(content: ByteStream, iterator: AsyncIterator<Uint8Array>): void {
  if ('destroy' in content && typeof content.destroy === 'function') content.destroy();
  else iterator.return?.().catch(() => {});
}
