import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sha256Hex } from '@reposure/core';

/** So many sessions at a time; each is a process of its own. */
export const maxSessions = 32;

/** A place among the sessions of this Pod. */
export interface SessionSlot {
  /** How many others there are. */
  readonly others: number;
  readonly release: () => Promise<void>;
}

/**
 * Counts this process among the sessions of the Pod, by a file named after its process id.
 *
 * @param directory Of the surrogate's files: surrogates that share a machine are counted apart.
 */
export async function takeSlot(directory: string, pid: number = process.pid): Promise<SessionSlot> {
  const folder = folderOf(directory);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = join(folder, String(pid));
  await writeFile(own, '');
  const others = (await readdir(folder)).map(Number).filter((other) => other !== pid);
  const dead = others.filter((other) => !isAlive(other));
  await Promise.all(dead.map((other) => rm(join(folder, String(other)), { force: true })));
  return { others: others.length - dead.length, release: () => rm(own, { force: true }) };
}

/** Forgets every session: in a container that starts anew, the numbers of the last one lie. */
export async function forgetSlots(directory: string): Promise<void> {
  await rm(folderOf(directory), { recursive: true, force: true });
}

function folderOf(directory: string): string {
  return join(tmpdir(), `reposure-sessions-${sha256Hex(directory).slice(0, 16)}`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
