import type { Duplex } from 'node:stream';

import { ReposureError, UnreachableError, UnsupportedError } from '../errors.ts';
import { version } from '../version.ts';
import { silenceLimitMs } from './session-settings.ts';

/** Raised when the two ends of a session would no longer understand each other. */
const protocolVersion = 2;

const program = 'reposure-surrogate';
const maxGreetingBytes = 256;

/** What the far side says first, so that a program that only writes something is told apart. */
export const greeting: string = `${program} ${protocolVersion} ${version}\n`;

/** Instead of {@link greeting}: too many sessions already. */
export function busyGreeting(sessions: number): string {
  return `${program} busy ${sessions}\n`;
}

/** What answered is not a surrogate of ours. */
export class SurrogateError extends ReposureError {
  override readonly name = 'SurrogateError';
  readonly code = 'PROTOCOL';
}

/** How {@link readGreeting} waits and speaks. */
export interface GreetingOptions {
  /** The other end, for messages: `the surrogate of ci/default`. */
  readonly far: string;
  /** What the far side said besides: its stderr, for messages. */
  readonly says?: (() => string) | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the line that the far side starts with; what comes after it stays in the stream.
 *
 * @returns The far side's version.
 * @throws {SurrogateError} if something else was said.
 * @throws {UnreachableError} if nothing was said in time, or it is busy: another try may help.
 * @throws {UnsupportedError} if it speaks another version of the protocol.
 */
export async function readGreeting(stream: Duplex, options: GreetingOptions): Promise<string> {
  const { far } = options;
  const line = await firstLine(stream, options);
  const busy = /^reposure-surrogate busy (\d+)$/.exec(line)?.[1];
  if (busy !== undefined) {
    throw new UnreachableError(
      `Cannot open a session with ${far}: it is busy with ${busy} others; want to try again later`,
    );
  }
  const [, protocol, farVersion] = /^reposure-surrogate (\d+) (\S+)$/.exec(line) ?? [];
  if (protocol === undefined || farVersion === undefined) {
    throw new SurrogateError(
      `Cannot open a session with ${far}: it says ${JSON.stringify(line.slice(0, 200))}; want a greeting of ${program}${saidBy(options)}`,
    );
  }
  if (Number(protocol) !== protocolVersion) {
    throw new UnsupportedError(
      `Cannot open a session with ${far}: it is version ${farVersion} with protocol ${protocol}, and this is version ${version} with protocol ${protocolVersion}; want the same on both sides: run \`reposure operator install\` again, with the newer one`,
    );
  }
  return farVersion;
}

async function firstLine(stream: Duplex, options: GreetingOptions): Promise<string> {
  const { far, timeoutMs = silenceLimitMs, signal } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lost = (state: string, cause?: unknown): void =>
    reject(
      new UnreachableError(`Cannot open a session with ${far}: ${state}${saidBy(options)}`, {
        cause,
      }),
    );
  const take = lineTaker(stream, resolve);
  const onEnd = (): void => lost('it ended without a greeting');
  const onError = (error: Error): void => lost('the connection broke before its greeting', error);
  const onAbort = (): void => reject(signal?.reason);
  const stop = afterSilence(timeoutMs, () => lost(`it said nothing within ${timeoutMs / 1000} s`));
  stream.on('readable', take).once('end', onEnd).once('close', onEnd).once('error', onError);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    stop();
    stream.off('readable', take).off('end', onEnd).off('close', onEnd).off('error', onError);
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * In ten steps and not at once: a process that was stopped or busy for longer finds its clock far
 * ahead before it has read what has been waiting for it.
 *
 * @returns Ends the wait.
 */
function afterSilence(limitMs: number, onOver: () => void): () => void {
  let missing = 10;
  const timer = setInterval(() => {
    missing -= 1;
    if (missing === 0) onOver();
  }, limitMs / missing);
  return () => clearInterval(timer);
}

/** Collects up to the first line feed, and gives back what was read beyond it. */
function lineTaker(stream: Duplex, found: (line: string) => void): () => void {
  let held = Buffer.alloc(0);
  const take = (): void => {
    for (let chunk = readFrom(stream); chunk; chunk = readFrom(stream)) {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf('\n');
      if (end < 0 && held.byteLength < maxGreetingBytes) continue;
      // At once: what is given back makes the stream readable again.
      stream.off('readable', take);
      const rest = end < 0 ? Buffer.alloc(0) : held.subarray(end + 1);
      if (rest.byteLength > 0) stream.unshift(rest);
      found(held.subarray(0, end < 0 ? maxGreetingBytes : end).toString());
      return;
    }
  };
  return take;
}

function readFrom(stream: Duplex): Buffer | undefined {
  const chunk: unknown = stream.read();
  return Buffer.isBuffer(chunk) ? chunk : undefined;
}

/** `; it says: …`, from the end of what was said, in one line. */
export function saidBy(options: Pick<GreetingOptions, 'says'>): string {
  const said = options
    .says?.()
    .trim()
    .split(/\s*\n\s*/)
    .join('; ')
    .slice(-500);
  return said ? `; it says: ${said}` : '';
}
