import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { constants } from 'node:os';
import { pipeline } from 'node:stream/promises';

import { streamOf } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { InputError, NotFoundError } from '../errors.ts';
import { codeOf } from './file-bytes.ts';

/** A program to run: no shell sees its arguments. */
export interface ProgramCall {
  /** A name on the PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Beside this process's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Goes to its standard input, which ends at once without it. */
  readonly stdin?: ByteStream;
  /** Takes its standard output, to the end; without it, nobody reads what it says there. */
  readonly onStdout?: (stdout: ByteStream) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended. */
export interface ProgramEnd {
  /** 128 and the signal's number if a signal ended it. */
  readonly exitCode: number;
  /** The last lines that it wrote to standard error, trimmed. */
  readonly stderr: string;
}

/**
 * Runs a program to its end, and waits for that also if something goes wrong.
 *
 * @throws {ProgramMissingError} if there is no such program.
 * @throws the reason of `signal`, or what `stdin` or `onStdout` failed with.
 */
export type RunProgram = (call: ProgramCall) => Promise<ProgramEnd>;

/** There is no such program on the PATH. */
export class ProgramMissingError extends NotFoundError {}

/** How long a program may take to tidy up before it is ended for good. */
const graceMs = 2000;

/** Enough for the last lines of what a program complains of. */
const maxStderrBytes = 4096;
const maxStderrLines = 5;

/** The {@link RunProgram} of this machine; the program gets this process's environment. */
export async function runProgram(call: ProgramCall): Promise<ProgramEnd> {
  call.signal?.throwIfAborted();
  const child = await started(call);
  const ended = endOf(child);
  const stop = (): void => end(child);
  call.signal?.addEventListener('abort', stop, { once: true });
  // It may have been so while the program was starting.
  if (call.signal?.aborted) stop();
  const results = await Promise.allSettled([
    ended,
    feed(child, call.stdin).catch(endingIt(child)),
    drain(child, call.onStdout).catch(endingIt(child)),
  ]);
  call.signal?.removeEventListener('abort', stop);
  call.signal?.throwIfAborted();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return ended;
}

async function started({
  command,
  args,
  env,
}: ProgramCall): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, ...env } });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.on('error', reject);
  try {
    await promise;
  } catch (error) {
    throw startingError(error, command);
  }
  return child;
}

function startingError(error: unknown, command: string): unknown {
  switch (codeOf(error)) {
    case 'ENOENT':
      return new ProgramMissingError(`Cannot run ${command}: there is no such program on the PATH`);
    case 'EACCES':
      return new InputError(`Cannot run ${command}: permission denied`, { cause: error });
    default:
      return error;
  }
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<ProgramEnd> {
  let tail = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-maxStderrBytes);
  });
  const { promise, resolve } = Promise.withResolvers<ProgramEnd>();
  child.once('close', (code, signal) => {
    const exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
    resolve({ exitCode, stderr: lastLines(tail.toString()) });
  });
  return promise;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-maxStderrLines).join('\n');
}

async function feed(
  child: ChildProcessWithoutNullStreams,
  stdin: ByteStream = streamOf(),
): Promise<void> {
  try {
    await pipeline(stdin, child.stdin);
  } catch (error) {
    // It ended before it had read everything: its exit code says what that means.
    if (!/^(?:EPIPE|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_DESTROYED)$/.test(codeOf(error))) {
      throw error;
    }
  }
}

async function drain(
  { stdout }: ChildProcessWithoutNullStreams,
  onStdout: ProgramCall['onStdout'],
): Promise<void> {
  if (onStdout) {
    // Node throws away what nobody waits for when the program ends.
    stdout.on('readable', waiting);
    await onStdout(stdout);
    stdout.off('readable', waiting);
  }
  stdout.resume();
}

function waiting(): void {
  // Whoever reads is told by a listener of its own.
}

function endingIt(child: ChildProcessWithoutNullStreams): (error: unknown) => never {
  return (error) => {
    end(child);
    throw error;
  };
}

/** Ends a program; its streams too, which a program of its own may still hold open. */
function end(child: ChildProcessWithoutNullStreams): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  child.once('exit', () => clearTimeout(timer));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}
