import { UnreachableError } from '../errors.ts';
import type { Transport } from '../registry/transport.ts';
import type { SurrogateSession } from './client-session.ts';

/** A transport over one session at a time. */
export interface Reconnecting {
  readonly request: Transport;
  readonly close: () => Promise<void>;
}

/**
 * Opens a session with the first request, and another with the first one after it was lost.
 *
 * What was under way is not sent again: whoever asked knows whether that is safe, and from where.
 */
export function reconnecting(
  open: (signal: AbortSignal) => Promise<SurrogateSession>,
): Reconnecting {
  const closing = new AbortController();
  let isOpening = false;
  let current: Promise<SurrogateSession> | undefined;
  let isClosed = false;
  const forget = (session: Promise<SurrogateSession>): void => {
    if (current === session) current = undefined;
  };
  const connect = (): Promise<SurrogateSession> => {
    isOpening = true;
    const opening = open(closing.signal).finally(() => (isOpening = false));
    opening.then(
      ({ closed }) => closed.then(() => forget(opening)),
      () => forget(opening),
    );
    return opening;
  };
  return {
    request: async (request) => {
      if (isClosed) throw new TypeError('Cannot send a request: the route is closed');
      current ??= connect();
      const session = await unlessAborted(current, request.signal);
      return await session.request(request);
    },
    close: async () => {
      isClosed = true;
      // Nobody wants it any more; a session that is open ends in its own way.
      if (isOpening) closing.abort(new UnreachableError('The route was closed'));
      const session = await current?.catch(() => undefined);
      await session?.close();
    },
  };
}

/** Others may wait for the same session, so only the waiting is given up. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
