import type { Readable, Writable } from 'node:stream';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import { busyGreeting, gatewayHandler, serveSession, StdioStream } from '@reposure/core/surrogate';

import { maxSessions, takeSlot } from './session-slots.ts';
import { upstreamOf } from './upstream.ts';

/** The streams of a program. */
export interface Io {
  readonly stdin: Readable;
  /** Carries the session and nothing else. */
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** The exit status of a session that was refused because there are too many. */
const busyStatus = 3;

/**
 * Serves one session over stdin and stdout, until the client has gone.
 *
 * @returns The exit status: 0 ended, 1 lost, 3 too busy.
 */
export async function serve(directory: string, io: Io): Promise<number> {
  const log = logTo(io.stderr);
  const slot = await takeSlot(directory);
  const upstream = upstreamOf(directory, log);
  try {
    if (slot.others >= maxSessions) {
      io.stdout.write(busyGreeting(slot.others));
      return busyStatus;
    }
    const stream = new StdioStream(io.stdin, io.stdout);
    await serveSession(stream, gatewayHandler({ upstream, log }), { log });
    return 0;
  } catch (error) {
    log.warn(explain(error));
    return 1;
  } finally {
    await slot.release();
    await upstream.close();
    letGo(io.stdin);
  }
}

/** What arrives until the process has ended is still read: a client that is not read from hangs. */
function letGo(stdin: Readable): void {
  stdin.resume();
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
}

/** Only what a person should know: the client shows the end of it with its own errors. */
function logTo(stderr: Writable): Log {
  return {
    debug: () => {},
    info: () => {},
    warn: (message) => void stderr.write(`${message}\n`),
  };
}
