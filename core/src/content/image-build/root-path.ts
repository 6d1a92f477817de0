import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** More parts and links than any path has: only a loop does. */
const maxSteps = 1000;

/**
 * Where a path of a root file system really lies on this machine: links are followed as if that
 * folder were `/`, so that they never lead to this machine's own files.
 *
 * @returns `undefined` if there is nothing, or a loop.
 */
export async function resolveInRoot(root: string, path: string): Promise<string | undefined> {
  const at: string[] = [];
  // Last part first.
  const pending = path.split('/').toReversed();
  let steps = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at.pop();
      continue;
    }
    const found = await lstat(join(root, ...at, part)).catch(() => undefined);
    if (!found || ++steps > maxSteps) return undefined;
    if (!found.isSymbolicLink()) {
      at.push(part);
      continue;
    }
    const target = await readlink(join(root, ...at, part));
    if (target.startsWith('/')) at.length = 0;
    pending.push(...target.split('/').toReversed());
  }
  return join(root, ...at);
}
