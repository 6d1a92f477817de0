import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '../errors.ts';
import { tallied } from './contained.ts';
import type { Tally } from './contained.ts';
import { writing } from './disk-full.ts';
import { codeOf } from './file-bytes.ts';
import { UnpackTree } from './unpack-tree.ts';

/**
 * Puts content together in a new or empty folder, which gets all of it or nothing.
 *
 * @throws what `fill` throws, and {@link InputError} if there is something in the folder, or it is a file.
 */
export function unpackedInto(
  directory: string,
  fill: (tree: UnpackTree) => Promise<void>,
): Promise<Tally> {
  return writing({ path: directory }, async () => {
    const staging = await UnpackStaging.begin(directory);
    try {
      await fill(new UnpackTree(staging.path));
      const tally = await tallied(staging.path);
      await staging.publish();
      return tally;
    } catch (error) {
      await staging.discard();
      throw error;
    }
  });
}

/** A new or empty folder that gets its content at the very end, or not at all. */
class UnpackStaging {
  /** Where content is put together. */
  readonly path: string;
  readonly #folder: string;
  readonly #isNew: boolean;

  private constructor(folder: string, path: string, isNew: boolean) {
    this.#folder = folder;
    this.path = path;
    this.#isNew = isNew;
  }

  /** @throws {InputError} if there is something in the folder, or it is a file. */
  static async begin(folder: string): Promise<UnpackStaging> {
    const isNew = await isMissing(folder);
    if (isNew) await mkdir(folder, { recursive: true });
    // Inside, not beside: the folder may be a mounted volume, and a rename cannot leave one.
    return new UnpackStaging(folder, await mkdtemp(join(folder, '.reposure-')), isNew);
  }

  async publish(): Promise<void> {
    for (const name of await readdir(this.path)) {
      await rename(join(this.path, name), join(this.#folder, name));
    }
    await rmdir(this.path);
  }

  async discard(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    if (this.#isNew) await rmdir(this.#folder).catch(() => {});
  }
}

/**
 * Refuses a folder that `unpack` would refuse, before anything is fetched for it.
 *
 * @throws {InputError} if there is something in the folder, or it is a file.
 */
export async function assertUnpackable(directory: string): Promise<void> {
  await isMissing(directory);
}

/** @returns Whether the folder is not there yet; else it is empty. */
async function isMissing(folder: string): Promise<boolean> {
  try {
    if ((await readdir(folder)).length === 0) return false;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    if (codeOf(error) !== 'ENOTDIR') throw error;
  }
  throw new InputError(
    `Cannot unpack to ${folder}: there is something already; want a new or an empty folder`,
  );
}
