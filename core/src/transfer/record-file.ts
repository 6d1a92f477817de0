import { appendFile, mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { writeWholeFile } from '../whole-file.ts';

/**
 * Reads the last lines of a file; one that is not there has none.
 *
 * @throws {Error} if somebody else may have written them, or they cannot be read.
 */
export async function readLines(path: string, maxBytes: number): Promise<readonly string[]> {
  try {
    const text = await withFile(path, async (file) => {
      await refuseOthers(file, path);
      return tailOf(file, maxBytes);
    });
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Adds lines at the end of a file that only this user can read; of one that grows too long the
 * older half is dropped.
 *
 * Several processes may do so at the same time: lines go out in one write, and those that come
 * while a file is shortened are lost, but never mixed.
 */
export async function appendLines(
  path: string,
  lines: readonly string[],
  maxBytes: number,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // The first line end is for a line that somebody could not finish.
  await appendFile(path, `\n${lines.join('\n')}\n`, { mode: 0o600 });
  const tail = await withFile(path, async (file) =>
    (await file.stat()).size > maxBytes ? await tailOf(file, maxBytes / 2) : undefined,
  );
  if (tail !== undefined) await writeWholeFile(path, tail);
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function refuseOthers(file: FileHandle, path: string): Promise<void> {
  const { uid, mode } = await file.stat();
  const isOurs = process.getuid === undefined || uid === process.getuid();
  if (!isOurs || (mode & 0o022) !== 0) throw new Error(`${path} can be written by others`);
}

/** The last bytes of a file, from the beginning of a line on. */
async function tailOf(file: FileHandle, maxBytes: number): Promise<string> {
  const { size } = await file.stat();
  const start = Math.max(0, size - maxBytes);
  const buffer = Buffer.alloc(size - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, start);
  const text = buffer.toString('utf8', 0, bytesRead);
  return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
}
