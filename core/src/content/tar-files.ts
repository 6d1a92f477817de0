import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';

import type { ReadOptions } from './content.ts';
import { FileCursor } from './cursor.ts';
import { openFile, readRange } from './file-bytes.ts';
import { missing } from './files.ts';
import type { Files } from './files.ts';
import { readTarEntries } from './tar-entries.ts';
import type { TarEntry } from './tar-entries.ts';

/** More hops than an honest archive has; fewer than a loop. */
const maxHops = 8;

/** The files of an uncompressed tar: its headers are read once, its content where it lies. */
export class TarFiles implements Files {
  readonly what: string;
  /** Whether the tar has its end mark; one without may have been cut between two entries. */
  readonly isComplete: boolean;
  readonly #handle: FileHandle;
  readonly #entries: ReadonlyMap<string, TarEntry>;

  private constructor(
    handle: FileHandle,
    what: string,
    { entries, isComplete }: { entries: ReadonlyMap<string, TarEntry>; isComplete: boolean },
  ) {
    this.#handle = handle;
    this.what = what;
    this.#entries = entries;
    this.isComplete = isComplete;
  }

  /** @throws {ContentInvalidError} if the tar is truncated or corrupt. */
  static async open(path: string, what: string, signal?: AbortSignal): Promise<TarFiles> {
    const handle = await openFile(path, what);
    try {
      return new TarFiles(handle, what, await indexed(handle, what, signal));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async has(path: string): Promise<boolean> {
    return this.#find(path) !== undefined;
  }

  async *read(path: string, { offset = 0, signal }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { start, end } = this.#rangeOf(path);
    yield* readRange(this.#handle, { start: start + offset, end, isReused: true, signal });
  }

  /** Reads a file in chunks that are overwritten: each is valid until the next one is asked for. */
  async *pass(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* readRange(this.#handle, { ...this.#rangeOf(path), isReused: true, signal });
  }

  /** The path behind the links of the archive, so that one layer under two names is read once. */
  realPathOf(path: string): string {
    const entry = this.#find(path);
    return entry ? normalised(entry.path) : path;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #rangeOf(path: string): { readonly start: number; readonly end: number } {
    const entry = this.#find(path);
    if (!entry) throw missing(this.what, path);
    return { start: entry.offset, end: entry.offset + entry.size };
  }

  /** Follows links, but only to other entries: `docker save` writes them for layers that repeat. */
  #find(path: string): TarEntry | undefined {
    let name = normalised(path);
    for (let hop = 0; hop <= maxHops; hop++) {
      const entry = this.#entries.get(name);
      if (entry?.type === 'file') return entry;
      if (entry?.type === 'symlink') {
        name = normalised(posix.join(posix.dirname(name), entry.linkPath));
      } else if (entry?.type === 'hardlink') {
        name = normalised(entry.linkPath);
      } else {
        return undefined;
      }
    }
    return undefined;
  }
}

async function indexed(
  handle: FileHandle,
  what: string,
  signal: AbortSignal | undefined,
): Promise<{ entries: ReadonlyMap<string, TarEntry>; isComplete: boolean }> {
  const { size } = await handle.stat();
  const reader = readTarEntries(new FileCursor(handle, size, what));
  const entries = new Map<string, TarEntry>();
  for (;;) {
    signal?.throwIfAborted();
    const { value, done } = await reader.next();
    if (done) return { entries, isComplete: value };
    // The last one of a name counts, as it would if the archive were unpacked.
    entries.set(normalised(value.path), value);
  }
}

/** `./a//b/` is `a/b`. */
function normalised(path: string): string {
  return posix.normalize(path).replace(/^\/+/, '').replace(/\/$/, '');
}
