import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process, told apart from every other one, also from a later one with the same number. */
export interface Owner {
  /** The machine since it was started, and the namespace in which `pid` counts. */
  readonly place: string;
  readonly pid: number;
  /** In the kernel's own unit; 0 where the kernel does not tell. */
  readonly startTime: number;
}

/** How often an owner that lives shows it, and when one that cannot be asked counts as dead. */
export const heartbeatMs = 30_000;
const deadAfterMs = 4 * heartbeatMs;

let own: Promise<Owner> | undefined;

/** This process. */
export function ownOwner(): Promise<Owner> {
  own ??= findOwn();
  return own;
}

/** As it stands in the name of a file. */
export function describeOwner({ place, pid, startTime }: Owner): string {
  return `${place}-${pid}-${startTime}`;
}

/** @returns `undefined` if `text` names no owner. */
export function parseOwner(text: string): Owner | undefined {
  const [, place, pid, startTime] = /^([\da-f]+)-(\d+)-(\d+)$/.exec(text) ?? [];
  if (place === undefined) return undefined;
  return { place, pid: Number(pid), startTime: Number(startTime) };
}

/**
 * Whether an owner still works.
 *
 * One of this machine is looked up. One of another machine or container, which shares only the
 * folder with us, lives as long as its heart beats.
 *
 * @param beatAtMs When it last showed a sign of life.
 */
export async function isAlive(owner: Owner, beatAtMs: number): Promise<boolean> {
  const isBeating = Date.now() - beatAtMs < deadAfterMs;
  if (owner.place !== (await ownOwner()).place) return isBeating;
  if (owner.startTime > 0) return (await startTimeOf(owner.pid)) === owner.startTime;
  return isBeating && isRunning(owner.pid);
}

async function findOwn(): Promise<Owner> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = await readlink('/proc/self/ns/pid').catch(() => '');
  const named = [hostname(), boot, processes].join('\n');
  const place = createHash('sha256').update(named).digest('hex').slice(0, 16);
  return { place, pid: process.pid, startTime: await startTimeOf(process.pid) };
}

/**
 * When a process began; 0 if there is none, or the kernel does not tell.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 22
 */
export async function startTimeOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field, the program's name, may hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // One that has ended stays until its parent asks for its status, which PID 1 of a container may never do.
  const hasEnded = ['Z', 'X'].includes(fields[0] ?? '');
  return hasEnded ? 0 : Number(fields[19] ?? 0);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is one, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
