import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

import type { ByteStream } from '../../bytes.ts';
import { ContentInvalidError } from '../../oci/index.ts';
import { readFileFrom } from '../file-bytes.ts';
import { tarEnd, tarHeaderOf, tarPaddingOf } from '../tar-headers.ts';

/** What lies at one path of a layer; `mode` is 0755 or 0644 where none is named. */
export type LayerEntry =
  | { readonly type: 'Directory'; readonly mode?: number }
  | { readonly type: 'SymbolicLink'; readonly linkPath: string }
  | {
      readonly type: 'File';
      readonly mode?: number;
      readonly size: number;
      readonly read: (signal?: AbortSignal) => ByteStream;
    };

/** The content of a layer by path, without a slash in front. Folders above an entry need none of their own. */
export type LayerTree = ReadonlyMap<string, LayerEntry>;

/** An entry of bytes that are in memory. */
export function fileOf(content: string | Uint8Array, mode = 0o644): LayerEntry {
  const bytes = Buffer.from(content);
  return {
    type: 'File',
    mode,
    size: bytes.byteLength,
    read: async function* read() {
      yield bytes;
    },
  };
}

/**
 * Everything in a folder, as it is to lie under `at`.
 *
 * Of modes only the executable bit counts: the rest is the umask of whoever made the folder.
 */
export async function treeOfFolder(folder: string, at: string): Promise<LayerTree> {
  const tree = new Map<string, LayerEntry>();
  for (const name of await readdir(folder)) {
    const [path, place] = [join(folder, name), `${at}/${name}`];
    const found = await lstat(path);
    if (found.isDirectory()) {
      tree.set(place, { type: 'Directory' });
      for (const [below, entry] of await treeOfFolder(path, place)) tree.set(below, entry);
    } else if (found.isSymbolicLink()) {
      tree.set(place, { type: 'SymbolicLink', linkPath: await readlink(path) });
    } else if (found.isFile()) {
      tree.set(place, diskFile(path, found.size, found.mode));
    }
  }
  return tree;
}

/** An entry of a file on this machine. */
export function diskFile(path: string, size: number, mode: number): LayerEntry {
  return {
    type: 'File',
    mode: (mode & 0o111) === 0 ? 0o644 : 0o755,
    size,
    read: (signal) => readFileFrom(path, 0, signal),
  };
}

/** The tree as a tar: sorted, owned by root, without times, so that equal trees are equal bytes. */
export async function* tarOfTree(
  tree: LayerTree,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const whole = withParents(tree);
  // By code units: the order of a locale is another one on the next machine.
  for (const path of [...whole.keys()].toSorted((a, b) => (a < b ? -1 : 1))) {
    signal?.throwIfAborted();
    const entry = whole.get(path);
    if (entry) yield* tarEntry(path, entry, signal);
  }
  yield tarEnd;
}

function withParents(tree: LayerTree): Map<string, LayerEntry> {
  const whole = new Map(tree);
  for (const path of tree.keys()) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      if (!whole.has(parent)) whole.set(parent, { type: 'Directory' });
    }
  }
  return whole;
}

async function* tarEntry(
  path: string,
  entry: LayerEntry,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  if (entry.type === 'SymbolicLink') return yield tarHeaderOf({ ...entry, path, mode: 0o777 });
  if (entry.type === 'Directory') return yield tarHeaderOf({ ...entry, path });
  const { read, size, mode = 0o644 } = entry;
  yield tarHeaderOf({ type: 'File', path, size, mode });
  let count = 0;
  for await (const chunk of read(signal)) {
    count += chunk.byteLength;
    yield chunk;
  }
  if (count !== size) {
    throw new ContentInvalidError(
      `Cannot pack ${path}: it had ${size} bytes, then ${count}; want a file that nobody writes to`,
    );
  }
  yield tarPaddingOf(size);
}
