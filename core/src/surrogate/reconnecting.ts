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
export function reconnecting(open: () => Promise<SurrogateSession>): Reconnecting {
  let current: Promise<SurrogateSession> | undefined;
  let isClosed = false;
  const forget = (session: Promise<SurrogateSession>): void => {
    if (current === session) current = undefined;
  };
  const connect = (): Promise<SurrogateSession> => {
    const opening = open();
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
