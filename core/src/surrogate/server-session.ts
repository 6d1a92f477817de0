import type { RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';

import { UnreachableError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { greeting } from './greeting.ts';
import { serveRequest } from './serve-request.ts';
import { pingIntervalMs, silenceLimitMs } from './session-settings.ts';
import { watchForLife } from './vital-signs.ts';
import { YamuxError } from './yamux/frame.ts';
import { YamuxSession } from './yamux/session.ts';

/** What a session is served with. */
export interface ServeOptions {
  readonly log?: Log;
  readonly pingIntervalMs?: number;
  readonly silenceLimitMs?: number;
}

/**
 * Serves one session to its end: the far side of {@link openSession}.
 *
 * @param stream Stdin and stdout; destroyed at the end.
 * @throws {UnreachableError} if the client gave no sign of life for 30 s.
 */
export async function serveSession(
  stream: Duplex,
  handler: RequestListener,
  options: ServeOptions = {},
): Promise<void> {
  const { log = silent } = options;
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  stream.once('error', (error) => log.warn(`the connection broke: ${error.message}`));
  stream.write(greeting);
  const session: YamuxSession = new YamuxSession(stream, {
    role: 'server',
    onStream: (opened) => void serveRequest(opened, handler),
    // The client has said goodbye: what it still waits for is answered to the end.
    onGoAway: () => void session.idle().then(() => stream.end(resolve)),
    onClose: (error) => {
      if (error instanceof YamuxError) log.warn(`the session broke: ${error.message}`);
      resolve();
    },
  });
  const stop = watch(session, stream, options, reject);
  try {
    await over;
  } finally {
    stop();
    session.destroy();
  }
}

/**
 * This side asks for signs of life, too: on a slow way up, the client's own question waits behind
 * what it sends, and the answer to it with it.
 */
function watch(
  session: YamuxSession,
  stream: Duplex,
  options: ServeOptions,
  reject: (error: Error) => void,
): () => void {
  const limitMs = options.silenceLimitMs ?? silenceLimitMs;
  return watchForLife(stream, {
    intervalMs: options.pingIntervalMs ?? pingIntervalMs,
    silenceLimitMs: limitMs,
    ask: () => session.ping(),
    onSilence: () =>
      reject(new UnreachableError(`No sign of life from the client for ${limitMs / 1000} s`)),
  });
}
