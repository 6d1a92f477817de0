import { stat } from 'node:fs/promises';

import { silent } from '../log.ts';
import { StreamCursor } from './cursor.ts';
import { segmentsOf } from './entry-path.ts';
import { readFileFrom } from './file-bytes.ts';
import { unpacked } from './packing.ts';
import { readTarEntries } from './tar-entries.ts';
import { putEntry } from './unpack-layer.ts';
import { UnpackBudget } from './unpack-limits.ts';
import { unpackedInto } from './unpack-staging.ts';
import type { UnpackTree } from './unpack-tree.ts';
import type { Unpacked, UnpackOptions } from './unpack.ts';

/**
 * Unpacks a gzipped tar by the rules of {@link unpack}; a tar that is no layer, so that no name in it
 * means that something is to be removed.
 *
 * @param file Its content is proved already.
 * @param directory New or empty.
 * @throws as {@link unpack}
 */
export async function unpackArchive(
  file: string,
  directory: string,
  options: Pick<UnpackOptions, 'limits' | 'log' | 'signal'> = {},
): Promise<Unpacked> {
  return unpackedInto(directory, (tree) => unpackInto(file, tree, options));
}

async function unpackInto(
  file: string,
  tree: UnpackTree,
  { limits, log = silent, signal }: Parameters<typeof unpackArchive>[2] & object,
): Promise<void> {
  const budget = new UnpackBudget(limits);
  const { size } = await stat(file);
  const tar = unpacked(readFileFrom(file, 0, signal), 'gzip', 'the artifact');
  const cursor = new StreamCursor(budget.counted(tar, size), 'the artifact');
  try {
    for await (const entry of readTarEntries(cursor)) {
      signal?.throwIfAborted();
      budget.countEntry();
      const path = segmentsOf(entry.path);
      if (path.length === 0) continue;
      await putEntry(tree, { entry, path, content: cursor.body(entry.size), log });
    }
    await cursor.drain();
  } finally {
    await cursor.close();
  }
}
