import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

import type { ByteStream } from '../bytes.ts';
import { UnreachableError, UnsupportedError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { Method, RegistryResponse, Transport } from '../registry/transport.ts';
import { errorAnswer, failureAnswer } from './far-error.ts';
import type { GatewayAnswer } from './far-error.ts';
import { servedPathOf } from './gateway-address.ts';
import { requestHeadersOf, responseHeadersOf } from './gateway-headers.ts';

/** A request as Node's HTTP/1.1 and HTTP/2 servers hand it over. */
export type GatewayRequest = IncomingMessage | Http2ServerRequest;
/** Where its answer goes. */
export type GatewayResponse = ServerResponse | Http2ServerResponse;
/** Serves one request; never throws. */
export type GatewayHandler = (request: GatewayRequest, response: GatewayResponse) => void;

/** What a gateway is made with. */
export interface GatewayOptions {
  /** The way to the registry: it adds TLS and the login, and follows redirects. */
  readonly upstream: Transport;
  readonly log?: Log;
  /** Refuses everything but GET and HEAD. */
  readonly readOnly?: boolean;
}

/** One request that is allowed, on its way. */
interface Passage {
  readonly request: GatewayRequest;
  readonly response: GatewayResponse;
  readonly method: Method;
  readonly path: string;
  /** Aborted when the client has gone, or has its answer. */
  readonly signal: AbortSignal;
}

/**
 * Makes the handler that puts one registry's `/v2/` behind a plain HTTP server.
 *
 * Bodies stream both ways with backpressure and are not hashed: client and registry do that.
 * Credentials pass in neither direction.
 */
export function gatewayHandler(options: GatewayOptions): GatewayHandler {
  const { log = silent } = options;
  return (request, response) => {
    const over = new AbortController();
    response.once('close', () => over.abort());
    request.once('aborted', () => over.abort());
    response.on('error', (error) => log.debug(`a client was lost: ${error.message}`));
    const allowed = allow(request, options.readOnly ?? false);
    if ('status' in allowed) {
      say(response, allowed);
      return;
    }
    const passage = { request, response, ...allowed, signal: over.signal };
    void pass(passage, options.upstream, log);
  };
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']);

function isMethod(method: string | undefined): method is Method {
  return method !== undefined && methods.has(method);
}

function allow(
  request: GatewayRequest,
  readOnly: boolean,
): GatewayAnswer | Pick<Passage, 'method' | 'path'> {
  const { method } = request;
  const path = servedPathOf(request.url);
  if (path === undefined) {
    return errorAnswer(404, {
      code: 'UNSUPPORTED',
      message: 'Cannot serve this path; want /v2/ and below, without dot segments',
    });
  }
  if (!isMethod(method) || (readOnly && method !== 'GET' && method !== 'HEAD')) {
    return errorAnswer(405, {
      code: 'UNSUPPORTED',
      message: `Cannot serve ${method ?? 'this method'} here; want ${readOnly ? 'GET or HEAD' : [...methods].join(', ')}`,
    });
  }
  return { method, path };
}

async function pass(passage: Passage, upstream: Transport, log: Log): Promise<void> {
  const { response, signal, method, path } = passage;
  // Without its query: the address of an upload is a secret.
  const what = `${method} ${path.replace(/\?.*/, '')}`;
  try {
    const answer = await ask(passage, upstream);
    log.debug(`${what} ${answer.status}`);
    await relay(answer, passage);
  } catch (error) {
    if (signal.aborted) return;
    log.debug(`${what} failed: ${String(error)}`);
    if (response.headersSent) breakOff(response);
    else say(response, failureAnswer(error));
  }
}

async function ask(passage: Passage, upstream: Transport): Promise<RegistryResponse> {
  const { request, method, path, signal } = passage;
  return await upstream({
    method,
    path,
    headers: requestHeadersOf(request.headers),
    ...(hasBody(request) ? { body: bodyOf(request) } : {}),
    signal,
  });
}

function hasBody(request: GatewayRequest): boolean {
  if ('stream' in request) {
    return !request.stream.endAfterHeaders && request.headers['content-length'] !== '0';
  }
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  return length !== '0' || encoding !== undefined;
}

/** Not the request itself: whoever stops reading it early would destroy it, and the answer with it. */
async function* bodyOf(request: GatewayRequest): ByteStream {
  const stream = 'stream' in request ? request.stream : undefined;
  const chunks: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  yield* chunks;
  // Node ends a request that was reset as it ends a whole one.
  if (stream?.aborted) throw new UnreachableError('Cannot read the request to its end: it was cut');
}

async function relay(answer: RegistryResponse, passage: Passage): Promise<void> {
  const { response, method, path, signal } = passage;
  const headers = responseHeadersOf(answer, path);
  if (answer.status === 202 && 'location' in answer.headers && !('location' in headers)) {
    await answer.discard();
    throw new UnsupportedError(
      'Cannot upload through the surrogate: the registry wants the upload outside /v2/',
    );
  }
  writeHead(response, answer.status, headers);
  if (method === 'HEAD') await answer.discard();
  else await copy(answer.body, response, signal);
  // Where the answer came before the end of the request, the client stops sending by itself.
  response.end();
}

async function copy(
  body: ByteStream,
  response: GatewayResponse,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of body) {
    signal.throwIfAborted();
    if (!write(response, chunk)) await once(response, 'drain', { signal });
  }
}

function writeHead(
  response: GatewayResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  if ('stream' in response) response.writeHead(status, headers);
  else response.writeHead(status, headers);
}

/** The two kinds of answer do this alike, but TypeScript does not unite their overloads. */
function write(response: GatewayResponse, chunk: Uint8Array): boolean {
  return 'stream' in response ? response.write(chunk) : response.write(chunk);
}

function say(response: GatewayResponse, answer: GatewayAnswer): void {
  if (response.headersSent || response.destroyed) return;
  writeHead(response, answer.status, answer.headers);
  if ('stream' in response) response.end(answer.body);
  else response.end(answer.body);
}

/** An answer that cannot go on must not look like a whole one: `close` would end it first. */
function breakOff(response: GatewayResponse): void {
  const reason = new UnreachableError('Lost the registry in the middle of its answer');
  if ('stream' in response) response.stream.destroy(reason);
  else response.destroy(reason);
}
