import { UnreachableError } from '../errors.ts';
import { BodyLengthError } from '../http/body-sender.ts';
import { exchange } from '../http/client-exchange.ts';
import type { Connection } from '../http/connection.ts';
import type { Connections } from '../http/connections.ts';
import { ContentMismatchError } from '../oci/index.ts';
import type { RegistryRequest, RegistryResponse } from './transport.ts';
import { unreachable } from './unreachable.ts';

/**
 * Sends one request to one origin, as it stands: no login, no redirects.
 *
 * @throws {UnreachableError} if no answer came.
 */
export type Exchange = (origin: string, request: RegistryRequest) => Promise<RegistryResponse>;

// The outermost limits, for what else asks: a client has its own (stall.ts), which may be set higher
// or lower, and ends a request that it sent through a surrogate, too.
const answerTimeoutMs = 300_000;
// The last request of an upload: the registry may copy or hash all of it before it answers.
const commitTimeoutMs = 600_000;
const silenceTimeoutMs = 300_000;

/** Exchanges over connections that are kept, with flow control to both ends. */
export function exchangeOver(connections: Connections, userAgent: string): Exchange {
  return async (origin, request) => {
    request.signal?.throwIfAborted();
    const { host } = new URL(origin);
    const dressed = { ...request, headers: { host, 'user-agent': userAgent, ...request.headers } };
    const lost = lossAt(connections, origin);
    for (let isFresh = false; ; isFresh = true) {
      const connection = await taken(connections, origin, { request, isFresh, lost });
      try {
        return await exchangeOn(connection, dressed, lost);
      } catch (error) {
        if (!isWorthRepeating(error, request, connection)) throw error;
      }
    }
  };
}

/** Says why no answer came, or not to its end, and trusts no idle connection any more. */
function lossAt(connections: Connections, origin: string): (cause: unknown) => UnreachableError {
  return (cause) => {
    connections.renew();
    return unreachable(origin, cause);
  };
}

async function taken(
  connections: Connections,
  origin: string,
  {
    request: { signal },
    isFresh,
    lost,
  }: {
    readonly request: RegistryRequest;
    readonly isFresh: boolean;
    readonly lost: (cause: unknown) => unknown;
  },
): Promise<Connection> {
  try {
    return await connections.take(origin, { isFresh, signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : lost(error);
  }
}

async function exchangeOn(
  connection: Connection,
  request: RegistryRequest & { readonly headers: Readonly<Record<string, string>> },
  lost: (cause: unknown) => unknown,
): Promise<RegistryResponse> {
  const limitMs = request.method === 'PUT' ? commitTimeoutMs : answerTimeoutMs;
  try {
    return await exchange(connection, request, {
      answerTimeoutMs: limitMs,
      silenceTimeoutMs,
      lost,
    });
  } catch (cause) {
    if (!(cause instanceof BodyLengthError)) throw cause;
    const message = 'The content to send has another size than was announced';
    throw new ContentMismatchError(message, { cause });
  }
}

/** The server closed a kept connection and has not seen the request; or has, and that does no harm. */
function isWorthRepeating(
  error: unknown,
  { method, body, signal }: RegistryRequest,
  connection: Connection,
): boolean {
  if (signal?.aborted || !(error instanceof UnreachableError)) return false;
  if (!connection.maybeStale) return false;
  // Where an upload stands, only the registry knows.
  return method !== 'PATCH' && (body === undefined || body instanceof Uint8Array);
}
