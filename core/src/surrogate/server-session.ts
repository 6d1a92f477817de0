import { createServer } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';

import { UnreachableError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { GatewayHandler } from './gateway.ts';
import { greeting } from './greeting.ts';
import {
  maxSessionMemory,
  pingIntervalMs,
  sessionSettings,
  silenceLimitMs,
  windowBytes,
} from './session-settings.ts';
import { UnblockedStream } from './unblocked-stream.ts';
import { ping, watchForLife } from './vital-signs.ts';

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
  handler: GatewayHandler,
  options: ServeOptions = {},
): Promise<void> {
  const { log = silent } = options;
  const unblocked = new UnblockedStream(stream);
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  // After a goodbye from the client, Node ends our side when the last request is done.
  unblocked.once('finish', resolve).once('close', resolve);
  unblocked.once('error', (error) => log.warn(`the connection broke: ${error.message}`));
  const server = createServer({ settings: sessionSettings, maxSessionMemory }, handler);
  server.on('sessionError', (error) => log.warn(`the session broke: ${error.message}`));
  server.once('session', (session) => {
    // The setting is for streams only; the connection has a window of its own.
    session.setLocalWindowSize(windowBytes);
    session.once('close', resolve);
    // Requests under way are cut with it, and with them what they ask of the registry.
    const end = (): void => session.destroy();
    unblocked.once('end', end).once('close', end);
    session.once('close', watch(session, unblocked, options, reject));
  });
  unblocked.write(greeting);
  server.emit('connection', unblocked);
  try {
    await over;
  } finally {
    unblocked.destroy();
  }
}

/**
 * This side asks for signs of life, too: on a slow way up, the client's own question waits behind
 * what it sends, and the answer to it with it.
 */
function watch(
  session: ServerHttp2Session,
  stream: Duplex,
  options: ServeOptions,
  reject: (error: Error) => void,
): () => void {
  const limitMs = options.silenceLimitMs ?? silenceLimitMs;
  return watchForLife(stream, {
    intervalMs: options.pingIntervalMs ?? pingIntervalMs,
    silenceLimitMs: limitMs,
    ask: () => ping(session),
    onSilence: () =>
      reject(new UnreachableError(`No sign of life from the client for ${limitMs / 1000} s`)),
  });
}
