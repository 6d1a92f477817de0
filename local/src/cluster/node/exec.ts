import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

import { exitCodeOf } from './container-process.ts';

/** Where the streams of an exec go; whoever made them closes them. */
export interface ExecChannels {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Given when the client is gone. */
  readonly signal: AbortSignal;
}

/**
 * Connects a process with the client of an exec, with flow control both ways to the last byte.
 *
 * A client that goes away does not end the process: its stdin ends and its output goes nowhere,
 * which is what container runtimes do.
 *
 * @returns When the process has ended and all of its output is handed over.
 */
export async function attach(
  child: ChildProcess,
  channels: ExecChannels,
): Promise<{ exitCode: number }> {
  const closed = once(child, 'close');
  const outputs = [
    drained(child.stdout, channels.stdout, channels.signal),
    drained(child.stderr, channels.stderr, channels.signal),
  ];
  feed(child, channels);
  await closed;
  await Promise.all(outputs);
  return { exitCode: exitCodeOf(child) };
}

function feed(
  { stdin, stdout, stderr }: ChildProcess,
  { stdin: given, signal }: ExecChannels,
): void {
  if (!stdin) return;
  const end = (): void => {
    given?.unpipe(stdin);
    stdin.end();
  };
  // What the process does not read any more must not hold the connection up.
  stdin.once('close', () => given?.resume());
  // containerd closes stdin with the first closed output: https://github.com/containerd/containerd/issues/13934
  for (const output of [stdout, stderr]) output?.once('end', end);
  if (!given || signal.aborted) return end();
  given.once('error', end);
  given.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  given.pipe(stdin);
}

/** Hands a stream's bytes over; once the reader is gone, throws them away, so that the writer can go on. */
async function drained(from: Readable | null, to: Writable, signal: AbortSignal): Promise<void> {
  if (!from) return;
  let isLost = signal.aborted;
  const lose = (): void => {
    isLost = true;
  };
  to.once('error', lose);
  to.once('close', lose);
  signal.addEventListener('abort', lose, { once: true });
  try {
    for await (const bytes of from as AsyncIterable<Uint8Array>) {
      if (!isLost && !to.write(bytes)) await room(to, signal);
    }
  } catch {
    // The process was killed with its pipes: there is nothing more to hand over.
  } finally {
    signal.removeEventListener('abort', lose);
  }
}

async function room(to: Writable, signal: AbortSignal): Promise<void> {
  if (to.destroyed || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) to.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) to.on(event, done);
    signal.addEventListener('abort', done);
  });
}
