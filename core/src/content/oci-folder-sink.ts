import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { InputError } from '../errors.ts';
import { ContentInvalidError, parseDocument } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Sink } from './content.ts';
import { codeOf } from './file-bytes.ts';
import { layoutEntry, layoutMarker, merged } from './layout-index.ts';
import { blobPathOf, indexFile, layoutFile } from './oci-source.ts';
import { isWhole, StagedBlobs } from './staged-blobs.ts';
import { leftOversIn, makeOwned } from './temporary.ts';

/** What a sink needs besides its place. */
export interface FolderSinkOptions {
  /** Instead of the one that `commit` gets. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hidden, and nothing that a layout has. */
const stagingStart = '.reposure-';

/**
 * An OCI image layout in a folder: a new one, or one that others are in already.
 *
 * What arrives is kept inside the folder, not beside it: the folder may be a mounted volume. Whole
 * blobs that another process had there when it was killed are taken over.
 *
 * @throws {InputError} if the folder holds something else.
 */
export async function ociFolderSink(folder: string, options: FolderSinkOptions): Promise<Sink> {
  const made = await prepared(folder);
  const staging = await makeOwned(folder, stagingStart).catch((error: unknown) =>
    unwritable(folder, error),
  );
  const staged = new StagedBlobs(staging);
  for (const leftOver of await leftOversIn(folder, stagingStart)) {
    await staged.adopt(leftOver);
    await rm(leftOver, { recursive: true, force: true });
  }
  const end = async (): Promise<void> => {
    await rm(staging, { recursive: true, force: true });
  };
  return {
    description: `oci:${folder}`,
    has: async (descriptor) =>
      staged.held.has(descriptor.digest) ||
      (await staged.recover(descriptor)) ||
      (await isWhole(join(folder, blobPathOf(descriptor)), descriptor)),
    write: (descriptor, content) => staged.write(descriptor, content, options.signal),
    commit: async (root, name) => {
      options.signal?.throwIfAborted();
      const index = merged(await entriesIn(folder), layoutEntry(root, options.name ?? name));
      for (const digest of staged.held) await moved(staging, folder, blobPathOf({ digest }));
      await replaced(staging, join(folder, layoutFile), layoutMarker);
      // The very last: only what the index names is in the layout.
      await replaced(staging, join(folder, indexFile), JSON.stringify(index));
      await end();
    },
    abort: async () => {
      await end();
      if (made) await rmdir(folder).catch(() => {});
    },
  };
}

function unwritable(folder: string, cause: unknown): never {
  throw new InputError(
    `Cannot write an OCI layout to ${folder}: it cannot be written (${codeOf(cause)}), and may be read-only; want a folder that can`,
    { cause },
  );
}

/** @returns Whether the folder is new. */
async function prepared(folder: string): Promise<boolean> {
  try {
    const names = await readdir(folder);
    const others = names.filter((name) => !name.startsWith(stagingStart));
    if (others.length > 0 && !names.includes(indexFile)) {
      throw new InputError(
        `Cannot write an OCI layout to ${folder}: it holds something else; want a new or empty folder, or an OCI layout`,
      );
    }
    await entriesIn(folder);
    return false;
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') {
      throw new InputError(`Cannot write an OCI layout to ${folder}: it is a file; want a folder`);
    }
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => unwritable(folder, cause));
    return true;
  }
}

async function entriesIn(folder: string): Promise<readonly Descriptor[]> {
  const path = join(folder, indexFile);
  const bytes = await readFile(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!bytes) return [];
  const { content } = parseDocument(bytes);
  if (content.kind === 'index') return content.index.manifests;
  throw new ContentInvalidError(`Cannot add to ${path}: it is not an index`);
}

async function moved(from: string, to: string, path: string): Promise<void> {
  const target = join(to, path);
  await mkdir(dirname(target), { recursive: true });
  await rename(join(from, path), target);
}

async function replaced(staging: string, path: string, text: string): Promise<void> {
  const partial = join(staging, 'text');
  await writeFile(partial, text);
  await rename(partial, path);
}
