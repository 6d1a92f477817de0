import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** How the kernel counts a process's time: 100 a second on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Every process of this machine. */
export function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** A file of `/proc/PID`; empty if the process has gone. */
export function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Seconds of processor, user and system, from a line of `/proc/PID/stat`. */
export interface CpuSeconds {
  readonly own: number;
  /** Of children that have ended and been waited for, and of theirs. */
  readonly children: number;
}

/**
 * @returns `undefined` for an empty line.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function parseStat(line: string): CpuSeconds | undefined {
  // The second field is the program's name, which may hold anything.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  if (childSystem === undefined) return undefined;
  return {
    own: ((user ?? 0) + (system ?? 0)) / ticksPerSecond,
    children: ((childUser ?? 0) + childSystem) / ticksPerSecond,
  };
}

/**
 * Seconds of processor that this machine has spent, on every process and on its kernel, since it
 * was started. What a network costs is charged to no process in particular, and is in here.
 *
 * @param text `/proc/stat`
 * @see https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export function parseBusySeconds(text: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (text.split('\n', 1)[0] ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

/** {@link parseBusySeconds} now. */
export function busySeconds(): number {
  return parseBusySeconds(readFileSync('/proc/stat', 'utf8'));
}

/** The most memory that a process has held so far, in bytes; 0 if it has gone. */
export function peakBytesOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(procFile(pid, 'status'))?.[1] ?? 0) * 1024;
}

/** Lets the kernel count a process's peak anew, where it lets us: an earlier one is of no interest. */
export function forgetPeakOf(pid: number): void {
  try {
    // https://docs.kernel.org/filesystems/proc.html: "reset the peak resident set size"
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // It has gone, or is somebody else's.
  }
}

/** A process, its children, theirs, and so on. */
export function treeOf(pid: number): readonly number[] {
  const children = procFile(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(treeOf)];
}
