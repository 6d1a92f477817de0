import { lstat, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { describeOwner, isAlive, ownOwner, parseOwner } from '../process-owner.ts';
import type { Owner } from '../process-owner.ts';
import { writing } from './disk-full.ts';
import type { Place } from './disk-full.ts';
import { writeFrom } from './file-bytes.ts';

/**
 * A folder of our own for what cannot be held in memory, made when something is put into it; only
 * this user may read it.
 */
export class TemporaryFolder {
  readonly #parent: string;
  #made: Promise<string> | undefined;
  #path: string | undefined;
  #count = 0;

  /** @param parent An existing folder; the system's own by default. */
  constructor(parent = tmpdir()) {
    this.#parent = parent;
  }

  /** What the folder is called if there is no room in it. */
  get place(): Place {
    return { path: this.#path ?? this.#parent, isTemporary: true };
  }

  /** A path in the folder that nobody else gets. @throws {DiskFullError} if it cannot be made. */
  async next(): Promise<string> {
    const name = String(this.#count++);
    this.#made ??= this.#make();
    return join(await this.#made, name);
  }

  /** Puts a stream into a new file, 0600, and returns its path. */
  async spool(content: ByteStream, signal?: AbortSignal): Promise<string> {
    const path = await this.next();
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
    await this.#made?.catch(() => {}); // whoever wanted it was told
    if (this.#path !== undefined) await rm(this.#path, { recursive: true, force: true });
  }

  async #make(): Promise<string> {
    // Layers may be large. In the way of nobody: a folder that cannot be removed stays.
    for (const path of await leftOversIn(this.#parent, prefix)) {
      await rm(path, { recursive: true, force: true }).catch(() => {});
    }
    this.#path = await writing(this.place, () => makeOwned(this.#parent, prefix));
    return this.#path;
  }
}

const prefix = 'reposure-tmp-';

/** Makes a folder of this process, 0700. */
export async function makeOwned(parent: string, start: string): Promise<string> {
  return await mkdtemp(join(parent, `${start}${describeOwner(await ownOwner())}-`));
}

/** The folders of {@link makeOwned} that processes of this user and this machine have left which were killed. */
export async function leftOversIn(parent: string, start: string): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => []);
  const found: string[] = [];
  for (const name of names.filter((each) => each.startsWith(start))) {
    const owner = parseOwner(name.slice(start.length).replace(/-\w{6}$/, ''));
    const path = join(parent, name);
    if (owner && (await isLeftOver(owner, path))) found.push(path);
  }
  return found;
}

async function isLeftOver(owner: Owner, path: string): Promise<boolean> {
  // Of another container, which may share the folder, nobody here can tell whether it lives.
  if (owner.place !== (await ownOwner()).place || (await isAlive(owner, 0))) return false;
  const { uid } = await lstat(path).catch(() => ({ uid: undefined }));
  // Not what somebody else has put there under such a name.
  return uid !== undefined && uid === process.getuid?.();
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
