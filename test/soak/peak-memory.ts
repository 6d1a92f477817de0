import { readdirSync, readFileSync } from 'node:fs';

/** The most memory that processes of this test have held, in bytes. */
export interface PeakMemory {
  /** By what {@link watchPeakMemory} was told to look for. */
  of(words: string): number;
  stop(): void;
}

const everyMs = 100;

/**
 * Watches the child processes of this one whose command lines have certain words in them.
 *
 * The kernel keeps the peak, so that nothing is missed between two looks. Not `maxRSS`: that of a
 * child begins with its parent's, https://man7.org/linux/man-pages/man2/getrusage.2.html
 */
export function watchPeakMemory(...wanted: readonly string[]): PeakMemory {
  const peaks = new Map<string, number>();
  const look = (): void => {
    for (const entry of readdirSync('/proc')) {
      const words = /^\d+$/.test(entry) ? wordsOf(entry) : undefined;
      const found = wanted.find((text) => words?.includes(text));
      if (found) peaks.set(found, Math.max(peaks.get(found) ?? 0, peakOf(entry)));
    }
  };
  const timer = setInterval(look, everyMs);
  return { of: (words) => peaks.get(words) ?? 0, stop: () => clearInterval(timer) };
}

/** @returns `undefined` for a process that is none of ours, or has gone. */
function wordsOf(pid: string): string | undefined {
  try {
    const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    if (parent !== String(process.pid)) return undefined;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return undefined;
  }
}

function peakOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
