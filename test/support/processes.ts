import { readdirSync, readFileSync } from 'node:fs';

/** The child processes of this one whose command lines have these words in them: none of anybody else's. */
export function childrenRunning(words: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && wordsOf(entry)?.includes(words))
    .map(Number);
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
