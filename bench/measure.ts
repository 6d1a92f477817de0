import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';

import { busySeconds, parseStat, peakBytesOf, treeOf } from './processes.ts';

/** A program to run. */
export interface Command {
  readonly words: readonly string[];
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file for its standard input; empty by default. */
  readonly stdin?: string;
}

/** What one run of it took. */
export interface Measured {
  readonly seconds: number;
  /** User and system, of the process and all that it started. */
  readonly cpuSeconds: number;
  /** Of the whole machine meanwhile: of everybody who has a part in the work, and whoever else is there. */
  readonly machineCpuSeconds: number;
  /** Of the one of its processes that held the most. */
  readonly peakBytes: number;
}

// A shell in between, because Node does not tell what a child has used: the kernel adds it up for
// whoever waits for the child. `read` and `echo` are the shell's own, so that nothing else counts.
const wrapper = '"$@"; status=$?; read -r stat </proc/$$/stat; echo "$stat" >&3; exit $status';
const sampleEveryMs = 10;

/**
 * Runs a program that must succeed, and measures it from start to end.
 *
 * The kernel keeps the peak of memory, and it is read every 10 ms: what a process takes in its last
 * moments may be missed. Linux only.
 *
 * @throws {Error} with the last of its standard error.
 */
export async function measure({ words, env, stdin = '/dev/null' }: Command): Promise<Measured> {
  const input = await open(stdin);
  try {
    const startedMs = performance.now();
    const busyBefore = busySeconds();
    const child = spawn('sh', ['-c', wrapper, 'sh', ...words], {
      env: { ...process.env, ...env },
      stdio: [input.fd, 'ignore', 'pipe', 'pipe'],
    });
    let [errors, stat, peakBytes] = ['', '', 0];
    child.stderr?.on(
      'data',
      (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-2000)),
    );
    child.stdio[3]?.on('data', (chunk: Buffer) => (stat += chunk.toString()));
    const look = (): void => {
      for (const pid of treeOf(child.pid ?? 0)) peakBytes = Math.max(peakBytes, peakBytesOf(pid));
    };
    const timer = setInterval(look, sampleEveryMs);
    const closed = once(child, 'close').finally(() => clearInterval(timer));
    const [status] = (await once(child, 'exit')) as [number | null];
    const seconds = (performance.now() - startedMs) / 1000;
    const machineCpuSeconds = busySeconds() - busyBefore;
    await closed;
    if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${errors}`);
    const cpuSeconds = parseStat(stat)?.children ?? Number.NaN;
    return { seconds, cpuSeconds, machineCpuSeconds, peakBytes };
  } finally {
    await input.close();
  }
}
