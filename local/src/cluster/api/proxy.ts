import { request as requestHttp } from 'node:http';
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestOptions,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';

import type { ApiContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { badRequest, noSuchPath, StatusError } from './status.ts';

const hopByHop = new Set([
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * `services/[SCHEME:]NAME[:PORT]/proxy/…` and `pods/…/proxy/…`: passes a request on, as HTTP/1.1.
 *
 * As in the real API server, `Authorization` goes no further, and a certificate behind it is not
 * verified.
 *
 * @throws {StatusError} 503 if nobody answers.
 */
export async function serveProxy(context: ApiContext, exchange: Exchange): Promise<void> {
  const { request, info } = exchange;
  const { target } = info;
  if (!target?.name) throw noSuchPath();
  const { scheme, name, port } = proxyNameOf(target.name);
  const kind = target.plural === 'pods' ? 'pod' : 'service';
  const search = new URL(request.url ?? '/', 'https://kubernetes').search;
  await passOn(context, exchange, {
    scheme,
    target: { kind, namespace: target.namespace ?? '', name, port },
    path: target.rest + search,
  });
}

/** Where a request goes from here. */
interface Passage {
  readonly scheme: string;
  readonly target: Parameters<ApiContext['backends']['proxy']>[0];
  /** With its query. */
  readonly path: string;
  /** Beside those of the request. */
  readonly headers?: OutgoingHttpHeaders;
}

/** Passes a request on, and its answer back. @throws {StatusError} 503 if nobody answers. */
export async function passOn(
  context: ApiContext,
  exchange: Exchange,
  { scheme, target, path, headers = {} }: Passage,
): Promise<void> {
  const { request, response } = exchange;
  const address = await context.backends.proxy(target);
  const { answer, outgoing } = await send(request, scheme, {
    ...address,
    method: request.method,
    path,
    headers: {
      ...passedOn(request.headers),
      ...headers,
      host: `${address.host}:${address.port}`,
    },
  });
  response.writeHead(answer.statusCode ?? 502, {
    ...passedOn(answer.headers),
    ...rewritten(answer.headers, exchange),
  });
  await pipeline(answer, response);
  if (request.complete) return;
  // Answered before its end: what still comes is let go, so that the connection can serve again.
  request.unpipe(outgoing).resume();
  outgoing.destroy();
}

/**
 * What the real API server changes in an answer: a `Location` on the Service is one behind the proxy
 * then, and its own `Cache-Control` comes first.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apimachinery/pkg/util/proxy/transport.go
 */
function rewritten(
  { location, 'cache-control': caching }: IncomingHttpHeaders,
  { request }: Exchange,
): IncomingHttpHeaders {
  const own = 'no-cache, private';
  const headers = { 'cache-control': caching === undefined ? own : `${own}, ${caching}` };
  if (!location?.startsWith('/')) return headers;
  const prefix = (request.url ?? '').split('/proxy/', 1)[0];
  return { ...headers, location: `http://${request.headers.host}${prefix}/proxy${location}` };
}

function proxyNameOf(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  if (parts.length > 3) throw badRequest(`invalid service request "${text}"`);
  const [scheme = '', name = '', port = ''] =
    parts.length === 3 ? parts : ['http', parts[0], parts[1]];
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    throw badRequest(`invalid service request "${text}"`);
  }
  return { scheme: scheme || 'http', name, port };
}

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

function send(
  request: IncomingMessage,
  scheme: string,
  options: RequestOptions,
): Promise<{ answer: IncomingMessage; outgoing: ClientRequest }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof send>>>();
  const outgoing: ClientRequest =
    scheme === 'https'
      ? requestHttps({ ...options, rejectUnauthorized: false })
      : requestHttp(options);
  outgoing.once('response', (answer) => resolve({ answer, outgoing }));
  outgoing.on('error', (error) => {
    // What still comes is let go, or the next request on this connection would never be read.
    request.unpipe(outgoing).resume();
    reject(
      new StatusError(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`),
    );
  });
  // The client is gone: whoever answers it must hear of that.
  request.on('aborted', () => outgoing.destroy());
  request.pipe(outgoing);
  return promise;
}
