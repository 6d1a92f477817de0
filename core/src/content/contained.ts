import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

import { ContentInvalidError } from '../oci/index.ts';
import type { Segments } from './entry-path.ts';

/** What was unpacked: regular files, and their bytes. */
export interface Tally {
  readonly files: number;
  readonly bytes: number;
}

/** More hops than systems follow. */
const maxHops = 40;

/**
 * Counts what is in a folder, and proves that no link in it leads out, also by way of other links:
 * whoever reads through them must not read this machine's files.
 *
 * @throws {ContentInvalidError} at the first that does.
 */
export async function tallied(root: string, folder: Segments = []): Promise<Tally> {
  let files = 0;
  let bytes = 0;
  for (const found of await readdir(join(root, ...folder), { withFileTypes: true })) {
    const path = [...folder, found.name];
    if (found.isDirectory()) {
      const below = await tallied(root, path);
      files += below.files;
      bytes += below.bytes;
    } else if (found.isSymbolicLink()) {
      if (await leadsOut(root, path)) throw leadingOut(path);
    } else {
      files++;
      bytes += (await lstat(join(root, ...path))).size;
    }
  }
  return { files, bytes };
}

/** Follows a link part by part, as a system would, except that it may not leave `root`. */
async function leadsOut(root: string, path: Segments): Promise<boolean> {
  const at: string[] = path.slice(0, -1);
  // Last part first.
  const pending = [path.at(-1) ?? ''];
  let hops = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '..') {
      if (at.pop() === undefined) return true;
      continue;
    }
    if (part === '' || part === '.') continue;
    const target = await readlink(join(root, ...at, part)).catch(() => undefined);
    if (target === undefined) {
      at.push(part);
      continue;
    }
    // A loop leads nowhere.
    if (++hops > maxHops) return false;
    if (target.startsWith('/')) return true;
    pending.push(...target.split('/').toReversed());
  }
  return false;
}

function leadingOut(path: Segments): ContentInvalidError {
  return new ContentInvalidError(
    `Cannot unpack ${JSON.stringify(path.join('/'))}: this link leads out of the folder by way of others`,
  );
}
