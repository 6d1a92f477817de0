import type { ByteStream } from '../bytes.ts';
import type { Log } from '../log.ts';
import { StreamCursor } from './cursor.ts';
import { segmentsOf } from './entry-path.ts';
import type { Segments } from './entry-path.ts';
import { readTarEntries } from './tar-entries.ts';
import type { TarEntry } from './tar-entries.ts';
import type { UnpackBudget } from './unpack-limits.ts';
import type { UnpackTree } from './unpack-tree.ts';
import { Whiteouts } from './whiteouts.ts';

/** What a layer is unpacked into, and by which rules. */
export interface LayerUnpacking {
  readonly tree: UnpackTree;
  readonly budget: UnpackBudget;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Applies one layer to what the lower ones made.
 *
 * @param tar Unpacked; it is read to its end.
 * @param what Names the layer in errors.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 */
export async function unpackLayer(
  tar: ByteStream,
  what: string,
  { tree, budget, log, signal }: LayerUnpacking,
): Promise<void> {
  const cursor = new StreamCursor(tar, what);
  const whiteouts = new Whiteouts(tree);
  try {
    for await (const entry of readTarEntries(cursor)) {
      signal?.throwIfAborted();
      budget.countEntry();
      const path = segmentsOf(entry.path);
      if (path.length === 0 || (await whiteouts.apply(path))) continue;
      whiteouts.keep(path);
      await putEntry(tree, { entry, path, content: cursor.body(entry.size), log });
    }
    await cursor.drain();
  } finally {
    await cursor.close();
  }
}

/** One entry of a tar, and where it goes. */
export interface Put {
  readonly entry: TarEntry;
  readonly path: Segments;
  readonly content: ByteStream;
  readonly log: Log;
}

/** Makes what an entry says; what belongs to no file system of ours is left out, and said. */
export async function putEntry(
  tree: UnpackTree,
  { entry, path, content, log }: Put,
): Promise<void> {
  switch (entry.type) {
    case 'file':
      return tree.putFile(path, entry.mode, content);
    case 'folder':
      return tree.putFolder(path, entry.mode);
    case 'symlink':
      return tree.putSymlink(path, entry.linkPath);
    case 'hardlink':
      if (await tree.putHardLink(path, segmentsOf(entry.linkPath))) return;
      return log.warn(
        `Left out ${entry.path}: it is a hard link to ${entry.linkPath}, which is no file here`,
      );
    case 'other':
      return log.warn(`Left out ${entry.path}: it is a device or a pipe`);
  }
}
