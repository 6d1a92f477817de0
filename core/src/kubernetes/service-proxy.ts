import { UnreachableError } from '../errors.ts';
import { BodyLengthError } from '../http/body-sender.ts';
import { exchange } from '../http/client-exchange.ts';
import type { HttpRequest } from '../http/client-exchange.ts';
import type { Connection as HttpConnection } from '../http/connection.ts';
import type { Connections } from '../http/connections.ts';
import { ContentMismatchError } from '../oci/index.ts';
import { lossOf, refusalOf } from './answer-error.ts';
import type { Purpose, Refused } from './answer-error.ts';
import type { ServiceRequest, ServiceResponse } from './client.ts';
import type { Connection } from './connection.ts';
import { pathOf } from './paths.ts';
import { resourceTypes } from './resource-types.ts';

/** The program behind may store or hash all that was sent before it answers. */
const answerTimeoutMs = 300_000;
const silenceTimeoutMs = 300_000;

/**
 * Sends a request through the API server to a Service, by HTTP/1.1: one HTTP/2 connection would
 * share its window among all requests.
 *
 * @throws {KubernetesError} if the API server answered by itself.
 * @throws {UnreachableError} if nobody answered.
 * @see https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
 */
export async function requestService(
  connection: Connection,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const purpose = purposeOf(request);
  for (let isRenewed = false; ; isRenewed = true) {
    const answer = await answerTo(connection, request, purpose);
    if (request.isFromService(answer)) return answer;
    const refusal = await refusalOf(refusedOf(answer), purpose, connection.access);
    await answer.discard();
    const mayRepeat = !isRenewed && isRepeatable(request);
    if (refusal.status !== 401 || !connection.renew() || !mayRepeat) throw refusal;
  }
}

async function answerTo(
  connection: Connection,
  request: ServiceRequest,
  purpose: Purpose,
): Promise<ServiceResponse> {
  const { signal } = request;
  for (let isFresh = false; ; isFresh = true) {
    const { connections, made } = await madeOf(connection, request);
    const lost = (error: unknown): unknown => {
      // Where one was lost, the idle ones may be, too.
      connections.renew();
      return lossOf(error, purpose, connection.access);
    };
    const taken = await take(connections, connection.access.server, { isFresh, signal, lost });
    try {
      return await exchange(taken, made, { answerTimeoutMs, silenceTimeoutMs, lost });
    } catch (error) {
      if (error instanceof BodyLengthError) throw mismatch(error);
      const isLost = error instanceof UnreachableError && !signal?.aborted;
      // The server closed a connection that was kept: it has not seen the request.
      if (!isLost || !taken.maybeStale || !isRepeatable(request)) throw error;
    }
  }
}

async function madeOf(
  connection: Connection,
  request: ServiceRequest,
): Promise<{ readonly connections: Connections; readonly made: HttpRequest }> {
  const { namespace, service, method, path, body, signal } = request;
  const { connections, headers } = await connection.serviceDressing(signal);
  const own = await request.headers();
  signal?.throwIfAborted();
  const { host, pathname } = new URL(connection.access.server);
  const root = pathOf(resourceTypes.Service, { namespace, name: service, subresource: 'proxy' });
  // Otherwise the API server asks the Service to compress, and unpacks what comes.
  const encoding = { 'accept-encoding': 'identity' };
  const made = {
    method,
    path: `${pathname.replace(/\/$/, '')}${root}${path}`,
    headers: { host, ...encoding, ...own, ...headers },
    body,
    signal,
  };
  return { connections, made };
}

async function take(
  connections: Connections,
  server: string,
  {
    isFresh,
    signal,
    lost,
  }: {
    readonly isFresh: boolean;
    readonly signal: AbortSignal | undefined;
    readonly lost: (error: unknown) => unknown;
  },
): Promise<HttpConnection> {
  try {
    return await connections.take(new URL(server).origin, { isFresh, signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : lost(error);
  }
}

function refusedOf({ status, headers, body }: ServiceResponse): Refused {
  return {
    statusCode: status,
    headers,
    [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](),
  };
}

/** What is left out the server would wait for, and what is too much it would take for a request. */
function mismatch(cause: BodyLengthError): ContentMismatchError {
  return new ContentMismatchError('The content to send has another size than was announced', {
    cause,
  });
}

function isRepeatable({ body }: ServiceRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}

function purposeOf({ namespace, service, ...rest }: ServiceRequest): Purpose {
  const action = `reach Service ${namespace}/${service} through the proxy of the API server`;
  const { forbiddenStep, absentStep, isExpectedBack } = rest;
  return { action, forbiddenStep, absentStep, isExpectedBack };
}
