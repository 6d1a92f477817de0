import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as z from 'zod';

import type { Digest } from '../oci/index.ts';
import { describeOwner, heartbeatMs, isAlive, ownOwner, parseOwner } from '../process-owner.ts';
import type { Upload } from '../registry/index.ts';
import type { TransferState } from './options.ts';

/** Registries forget uploads, after a week or when they are started again: older ones are not tried. */
const maxAgeMs = 24 * 60 * 60 * 1000;
const free = 'free';

const Remembered = z.object({
  /** In origin form: it goes to the registry that the state is of, and to no other. */
  location: z.string().regex(/^\/(?!\/)/),
  begunAtMs: z.number(),
  minChunkBytes: z.int().positive().exactOptional(),
});
type Remembered = z.infer<typeof Remembered>;

/**
 * Takes the upload of one blob that an earlier push left behind, if there is one, and remembers
 * where this push uploads it.
 *
 * A record is a file, and its name says whose it is. Taking one is renaming it, which succeeds for
 * one process only; so there is no lock that could outlive its owner. Two pushes of the same blob
 * never share an upload: the second finds the record of a living process, and begins its own.
 *
 * @throws what the file system says.
 */
export async function claimUpload(
  state: TransferState,
  repository: string,
  digest: Digest,
): Promise<UploadRecord> {
  const folder = join(state.directory, 'uploads');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = keyOf(state, repository, digest);
  const pathFor = (owner: string): string => join(folder, `${key}.${owner}.${randomUUID()}`);
  const paths = { held: pathFor(describeOwner(await ownOwner())), released: pathFor(free) };
  return new UploadRecord(paths, repository, await take(folder, key, paths.held));
}

/** Where one blob is being uploaded to, kept for the next push. The location in it is a secret. */
export class UploadRecord {
  /** What an earlier push left; only the registry knows how far it came. */
  readonly left: Upload | undefined;
  readonly #paths: { readonly held: string; readonly released: string };
  readonly #heart: NodeJS.Timeout;
  #remembered: Remembered | undefined;

  constructor(
    paths: { readonly held: string; readonly released: string },
    repository: string,
    found: Remembered | undefined,
  ) {
    this.#paths = paths;
    this.#remembered = found;
    this.left = found && uploadOf(found, repository);
    this.#heart = setInterval(() => void beat(paths.held), heartbeatMs).unref();
  }

  /** Remembers where the upload is now: its location may change with every answer. */
  async save({ location, minChunkBytes }: Upload): Promise<void> {
    if (location === this.#remembered?.location) return;
    this.#remembered = {
      location,
      begunAtMs: this.#remembered?.begunAtMs ?? Date.now(),
      ...(minChunkBytes === undefined ? {} : { minChunkBytes }),
    };
    // Whole or not at all: this process may be killed at any moment.
    const partial = `${this.#paths.held}.partial`;
    await writeFile(partial, JSON.stringify(this.#remembered), { mode: 0o600 });
    await rename(partial, this.#paths.held);
  }

  /** What was remembered is of no use any more. */
  async forget(): Promise<void> {
    this.#remembered = undefined;
    await rm(this.#paths.held, { force: true });
  }

  /** Leaves what is remembered to the next push. */
  async release(): Promise<void> {
    clearInterval(this.#heart);
    if (this.#remembered) await rename(this.#paths.held, this.#paths.released);
  }
}

interface RecordFile {
  readonly path: string;
  readonly changedAtMs: number;
}

/** Takes the youngest record of the key that nobody holds. */
async function take(folder: string, key: string, own: string): Promise<Remembered | undefined> {
  for (const { path } of await unheldIn(folder, key)) {
    try {
      await rename(path, own);
      // Others tell by it whether the owner is alive, and the last one may be dead for hours.
      await utimes(own, new Date(), new Date());
    } catch {
      continue; // somebody else was faster
    }
    const found = await read(own);
    if (found) return found;
    await rm(own, { force: true });
  }
  return undefined;
}

/** The records of a key that are to be had; on the way, what is too old for anybody is removed. */
async function unheldIn(folder: string, key: string): Promise<readonly RecordFile[]> {
  const files: RecordFile[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const changedAtMs = await changeOf(path);
    if (Date.now() - changedAtMs > maxAgeMs) await rm(path, { force: true });
    else if (name.startsWith(`${key}.`) && !(await isHeld(name, changedAtMs))) {
      files.push({ path, changedAtMs });
    }
  }
  return files.toSorted((a, b) => b.changedAtMs - a.changedAtMs);
}

async function isHeld(name: string, changedAtMs: number): Promise<boolean> {
  const [, holder = '', , suffix] = name.split('.');
  if (holder === free) return false;
  const owner = parseOwner(holder);
  // A `.partial` is half of something, and what is no owner is none of ours.
  return suffix !== undefined || owner === undefined || (await isAlive(owner, changedAtMs));
}

async function read(path: string): Promise<Remembered | undefined> {
  try {
    const found = Remembered.parse(JSON.parse(await readFile(path, 'utf8')));
    return Date.now() - found.begunAtMs < maxAgeMs ? found : undefined;
  } catch {
    return undefined; // not whole, or of another version: as if it were not there
  }
}

/** Where it stands is for the registry to say. */
function uploadOf({ location, minChunkBytes }: Remembered, repository: string): Upload {
  return { repository, location, offset: 0, ...(minChunkBytes ? { minChunkBytes } : {}) };
}

function keyOf({ registry }: TransferState, repository: string, digest: Digest): string {
  const text = JSON.stringify([registry, repository, digest]);
  return createHash('sha256').update(text).digest('hex');
}

async function changeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? Date.now();
}

async function beat(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}
