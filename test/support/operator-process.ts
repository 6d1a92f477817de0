import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ownProgram } from './program.ts';

/** The program `reposure-operator` as a process of this machine, which can be killed. */
export interface OperatorProcess {
  /** Its log of JSON lines, and what it wrote to standard error. */
  readonly said: string;
  /** Settles when it has ended by itself or was killed. */
  readonly ended: Promise<unknown>;
  /** In MiB: what it has in memory now, and had at most. */
  memory(): Promise<{ readonly nowMiB: number; readonly peakMiB: number }>;
  /** CPU seconds so far. */
  cpuSeconds(): Promise<number>;
  /** What `/metrics` says of one metric, all its labels together. */
  metric(name: string): Promise<number>;
  /** SIGKILL: nothing is released. */
  kill(): Promise<void>;
  /** SIGTERM, as the kubelet ends it. */
  stop(): Promise<void>;
}

/** Starts it with the arguments of `reposure-operator run`, on a free port. */
export async function startOperatorProcess(
  env: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<OperatorProcess> {
  const port = await freePort();
  const argv = [join(ownProgram.binFolder, 'reposure-operator'), 'run', `--port=${port}`, ...words];
  const child = spawn(process.execPath, argv, {
    // As its Deployment has it.
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=80', ...env },
  });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'exit');
  const procFile = (name: string): Promise<string> =>
    readFile(`/proc/${child.pid}/${name}`, 'utf8');
  return {
    get said() {
      return said;
    },
    ended,
    memory: async () => memoryIn(await procFile('status')),
    cpuSeconds: async () => cpuIn(await procFile('stat')),
    metric: async (name) => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      return sumIn(await response.text(), name);
    },
    kill: () => end(child, ended, 'SIGKILL'),
    stop: () => end(child, ended, 'SIGTERM'),
  };
}

async function end(
  child: ChildProcess,
  ended: Promise<unknown>,
  signal: NodeJS.Signals,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await Promise.race([ended, delay(10_000, undefined, { ref: false })]);
  child.kill('SIGKILL');
}

function memoryIn(status: string): { nowMiB: number; peakMiB: number } {
  const of = (field: string): number =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  return { nowMiB: of('VmRSS'), peakMiB: of('VmHWM') };
}

/** User and system time, in ticks of 10 ms. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function cpuIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function sumIn(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.replace(/\{.*/, '').split(' ')[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
