import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const missing = new Set(['ENOENT', 'ENOTDIR']);

/** Whether a file system's call failed because nothing has that name. */
function isMissing(error: unknown): boolean {
  return missing.has(codeOf(error));
}

/** What `work` resolves to, or `fallback` if the file or folder that it wants is not there. */
export async function orIfMissing<T, F>(work: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return fallback;
    throw error;
  }
}

/** The size of a file in bytes, or `undefined` if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return orIfMissing(
    stat(path).then(({ size }) => size),
    undefined,
  );
}

/** The text of a file, or `undefined` if there is none. */
export async function textOf(path: string): Promise<string | undefined> {
  return orIfMissing(readFile(path, 'utf8'), undefined);
}

/** The names in a folder that is perhaps not there. */
export async function namesIn(path: string): Promise<string[]> {
  return orIfMissing(readdir(path), []);
}

/** The entries of a folder that is perhaps not there. */
export async function entriesIn(path: string): Promise<Dirent[]> {
  return orIfMissing(readdir(path, { withFileTypes: true }), []);
}

/**
 * Writes a file so that a reader finds the old content, the new one or none, never a part.
 *
 * @param scratch A folder of the same file system, for what is not complete yet.
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  scratch: string,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const partial = join(scratch, `${randomUUID()}.partial`);
  try {
    await writeFile(partial, content);
    await moveTo(path, partial);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Moves a file to its place at once, over what may be there; makes the folders above it. */
export async function moveTo(path: string, from: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rename(from, path);
}

/** Removes a file. @returns whether it was there. */
export async function removeFile(path: string): Promise<boolean> {
  return orIfMissing(
    rm(path).then(() => true),
    false,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
