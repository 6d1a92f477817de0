import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

import { UnreachableError } from '../errors.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { exchange } from './exchange.ts';
import type { Connection } from './exchange.ts';
import { farErrorOf } from './far-error.ts';
import { readGreeting, saidBy } from './greeting.ts';
import type { GreetingOptions } from './greeting.ts';
import {
  maxSessionMemory,
  pingIntervalMs,
  sessionSettings,
  silenceLimitMs,
  windowBytes,
} from './session-settings.ts';
import { UnblockedStream } from './unblocked-stream.ts';
import { ping, watchForLife } from './vital-signs.ts';

/** This side's end of a session with a surrogate. */
export interface SurrogateSession {
  /** Carries any number of requests at a time. */
  readonly request: Transport;
  /** The far side's version. */
  readonly farVersion: string;
  /** Lets the requests under way come to their end, for two seconds, then ends the session. */
  readonly close: () => Promise<void>;
  /** Settles when no more requests are taken: with `undefined` after {@link close}. */
  readonly closed: Promise<Error | undefined>;
}

/** What a session is opened with. */
export interface SessionOptions extends GreetingOptions {
  /** Where to look further: ends the messages of the far side's errors. */
  readonly hint?: string | undefined;
  readonly pingIntervalMs?: number;
  readonly silenceLimitMs?: number;
}

/** For requests under way. */
const closingTimeMs = 2_000;
/** For the goodbye; it is a courtesy: the end of the stream says the same. */
const farewellTimeMs = 100;

/**
 * Opens a session over the stdin and stdout of `reposure-surrogate serve`.
 *
 * @param stream Belongs to the session from here on, also when opening fails.
 * @throws {UnreachableError} if the far side is lost, or is busy.
 * @throws {SurrogateError} if it is no surrogate.
 * @throws {UnsupportedError} if it is one of another protocol version.
 */
export async function openSession(
  stream: Duplex,
  options: SessionOptions,
): Promise<SurrogateSession> {
  stream.on('error', () => {}); // told by whoever waits for it
  try {
    const farVersion = await readGreeting(stream, options);
    return sessionOn(new UnblockedStream(stream), options, farVersion);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function sessionOn(stream: Duplex, options: SessionOptions, farVersion: string): SurrogateSession {
  const { far, hint = '' } = options;
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
  let end: { readonly error: UnreachableError | undefined } | undefined;
  const over = (state: string | undefined, cause?: unknown): void => {
    const error = state === undefined ? undefined : lostError(state, cause);
    end ??= { error };
    resolve(end.error);
  };
  const lostError = (state: string, cause: unknown): UnreachableError =>
    new UnreachableError(`Lost the session with ${far}: ${state}${saidBy(options)}`, { cause });
  // First in line: what the streams of the session say afterwards is only that it was cut.
  stream.once('error', (error) => over('the connection broke', error));
  stream.once('end', () => over('it ended'));
  stream.once('close', () => over('the connection was closed'));
  const session = start(stream);
  const connection = { session, streams: new Set<ClientHttp2Stream>() };
  session.once('goaway', () => over('it takes no more requests'));
  session.on('error', (error) => over('the connection broke', error));
  session.once('close', () => over('it was closed'));
  watch(session, stream, options, over);
  const lost = (cause: unknown): Error =>
    end
      ? (end.error ?? lostError('it was closed on this side', cause))
      : new UnreachableError(`Cannot get an answer to its end: ${far} broke it off`, { cause });
  return {
    farVersion,
    closed,
    request: async (request) => orFarError(await exchange(connection, request, lost), hint),
    close: () => {
      over(undefined);
      return close(connection, stream);
    },
  };
}

function start(stream: Duplex): ClientHttp2Session {
  const session = connect('http://surrogate', {
    createConnection: () => stream,
    settings: { ...sessionSettings, enablePush: false },
    maxSessionMemory,
  });
  // The setting is for streams only; the connection has a window of its own.
  session.once('connect', () => session.setLocalWindowSize(windowBytes));
  return session;
}

function watch(
  session: ClientHttp2Session,
  stream: Duplex,
  options: SessionOptions,
  over: (state: string) => void,
): void {
  const limitMs = options.silenceLimitMs ?? silenceLimitMs;
  const stop = watchForLife(stream, {
    intervalMs: options.pingIntervalMs ?? pingIntervalMs,
    silenceLimitMs: limitMs,
    ask: () => ping(session),
    onSilence: () => {
      over(`no sign of life for ${limitMs / 1000} s`);
      session.destroy();
      stream.destroy();
    },
  });
  session.once('close', stop);
}

async function orFarError(answer: RegistryResponse, hint: string): Promise<RegistryResponse> {
  const error = farErrorOf(answer, hint);
  if (!error) return answer;
  await answer.discard();
  throw error;
}

/**
 * Says goodbye, which Node follows by ending the stream when the last request is done.
 *
 * Now and then Node does not, if the goodbye itself is still being written.
 *
 * The session's own `close` event waits for the far side to end the stream too, and that one may
 * never do so: not every version of the exec protocol can tell it that ours has ended.
 */
async function close({ session, streams }: Connection, stream: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (session.destroyed || stream.writableFinished || stream.destroyed) resolve();
  const timer = setTimeout(resolve, streams.size > 0 ? closingTimeMs : farewellTimeMs);
  stream.once('finish', resolve).once('close', resolve);
  session.close();
  await promise;
  clearTimeout(timer);
  session.destroy();
  stream.destroy();
}
