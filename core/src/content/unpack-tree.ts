import type { Stats } from 'node:fs';
import { chmod, link, lstat, mkdir, open, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { containedTarget } from './entry-path.ts';
import type { Segments } from './entry-path.ts';
import { writeFrom } from './file-bytes.ts';

/**
 * A folder that entries of hostile tars are written into: nothing is ever written, linked or
 * removed through a symbolic link, so nothing happens outside.
 *
 * Nobody else may change the folder meanwhile: what was looked at must still hold.
 */
export class UnpackTree {
  readonly root: string;
  /** Parents that were looked at. Forgotten as soon as anything is removed. */
  readonly #folders = new Set<string>();

  /** @param root Exists, is empty and ours alone. */
  constructor(root: string) {
    this.root = root;
  }

  /** Makes a folder, or gives one that is there this mode; its owner can always get in. */
  async putFolder(path: Segments, mode: number): Promise<void> {
    const full = await this.#place(path);
    const found = await this.#stat(path);
    if (found && !found.isDirectory()) await this.remove(path);
    if (!found?.isDirectory()) await mkdir(full, 0o700);
    await chmod(full, (mode & 0o777) | 0o700);
  }

  /** Writes a file; setuid and setgid are dropped: it belongs to whoever unpacks. */
  async putFile(path: Segments, mode: number, content: ByteStream): Promise<void> {
    const full = await this.#place(path);
    // Never written into what is there: that may be a link, or another name of a file.
    await this.remove(path);
    const handle = await open(full, 'wx', 0o600);
    try {
      await writeFrom(handle, 0, content);
      await handle.chmod(mode & 0o777);
    } finally {
      await handle.close();
    }
  }

  async putSymlink(path: Segments, target: string): Promise<void> {
    const full = await this.#place(path);
    await this.remove(path);
    await symlink(containedTarget(path.slice(0, -1), target), full);
  }

  /** @returns Whether there was a regular file to link to. */
  async putHardLink(path: Segments, target: Segments): Promise<boolean> {
    const full = await this.#place(path);
    if (!(await this.#hasParent(target))) return false;
    const found = await this.#stat(target);
    // Not to a symbolic link: some systems would follow it (CVE-2026-26960).
    if (!found?.isFile()) return false;
    if (path.join('/') === target.join('/')) return true;
    await this.remove(path);
    await link(this.#full(target), full);
    return true;
  }

  /** Removes a path and what is under it; nothing there is fine. */
  async remove(path: Segments): Promise<void> {
    if (path.length === 0 || !(await this.#hasParent(path))) return;
    if (!(await this.#stat(path))) return;
    this.#folders.clear();
    await rm(this.#full(path), { recursive: true, force: true });
  }

  /** Names in a folder; none if it is not one. */
  async list(path: Segments): Promise<readonly string[]> {
    if (!(await this.#hasParent(path))) return [];
    const isFolder = path.length === 0 || (await this.#stat(path))?.isDirectory();
    return isFolder ? readdir(this.#full(path)) : [];
  }

  /** Where an entry goes: all folders above it are there, and are folders. */
  async #place(path: Segments): Promise<string> {
    for (let depth = 1; depth < path.length; depth++) {
      const parent = path.slice(0, depth);
      if (await this.#isFolder(parent)) continue;
      await mkdir(this.#full(parent), 0o755);
      this.#folders.add(parent.join('/'));
    }
    return this.#full(path);
  }

  async #hasParent(path: Segments): Promise<boolean> {
    for (let depth = 1; depth < path.length; depth++) {
      if (!(await this.#isFolder(path.slice(0, depth)))) return false;
    }
    return true;
  }

  /** @throws {ContentInvalidError} if something else than a folder is there. */
  async #isFolder(path: Segments): Promise<boolean> {
    const key = path.join('/');
    if (this.#folders.has(key)) return true;
    const found = await this.#stat(path);
    if (!found) return false;
    if (!found.isDirectory()) {
      throw new ContentInvalidError(
        `Cannot unpack below ${JSON.stringify(key)}: it is ${found.isSymbolicLink() ? 'a symbolic link' : 'not a folder'}; want layers that do not write through it`,
      );
    }
    this.#folders.add(key);
    return true;
  }

  async #stat(path: Segments): Promise<Stats | undefined> {
    return lstat(this.#full(path)).catch(() => undefined);
  }

  #full(path: Segments): string {
    return join(this.root, ...path);
  }
}
