import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { UnreachableError } from '../errors.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { exchange } from './exchange.ts';
import { farErrorOf } from './far-error.ts';
import { readGreeting, saidBy } from './greeting.ts';
import type { GreetingOptions } from './greeting.ts';
import { pingIntervalMs, silenceLimitMs } from './session-settings.ts';
import { watchForLife } from './vital-signs.ts';
import { YamuxSession } from './yamux/session.ts';
import type { YamuxStream } from './yamux/stream.ts';

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
    return sessionOn(stream, options, farVersion);
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
  const session = new YamuxSession(stream, {
    role: 'client',
    onGoAway: () => over('it takes no more requests'),
    onClose: (error) => over('the connection broke', error),
  });
  watch(session, stream, options, over);
  const lost = (cause: unknown): Error =>
    end
      ? (end.error ?? lostError('it was closed on this side', cause))
      : new UnreachableError(`Cannot get an answer to its end: ${far} broke it off`, { cause });
  return {
    farVersion,
    closed,
    request: async (request) => {
      const opened = await openStream(session, request.signal, lost);
      return orFarError(await exchange(opened, request, lost), hint);
    },
    close: () => {
      over(undefined);
      return close(session, stream);
    },
  };
}

async function openStream(
  session: YamuxSession,
  signal: AbortSignal | undefined,
  lost: (cause: unknown) => Error,
): Promise<YamuxStream> {
  try {
    return await session.openStream(signal);
  } catch (error) {
    throw signal?.aborted ? signal.reason : lost(error);
  }
}

function watch(
  session: YamuxSession,
  stream: Duplex,
  options: SessionOptions,
  over: (state: string) => void,
): void {
  const limitMs = options.silenceLimitMs ?? silenceLimitMs;
  const stop = watchForLife(stream, {
    intervalMs: options.pingIntervalMs ?? pingIntervalMs,
    silenceLimitMs: limitMs,
    ask: () => session.ping(),
    onSilence: () => {
      over(`no sign of life for ${limitMs / 1000} s`);
      session.destroy();
    },
  });
  stream.once('close', stop);
}

async function orFarError(answer: RegistryResponse, hint: string): Promise<RegistryResponse> {
  const error = farErrorOf(answer, hint);
  if (!error) return answer;
  await answer.discard();
  throw error;
}

/** Says goodbye: not every version of the exec protocol can tell the far side that stdin ended. */
async function close(session: YamuxSession, stream: Duplex): Promise<void> {
  await within(closingTimeMs, session.idle());
  await within(farewellTimeMs, session.goAway());
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  stream.once('close', resolve).end(resolve);
  await within(farewellTimeMs, finished);
  session.destroy();
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  const patience = new AbortController();
  const late = delay(limitMs, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([work, late]);
  patience.abort();
}
