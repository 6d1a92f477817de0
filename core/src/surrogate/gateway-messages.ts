import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Socket } from 'node:net';

import type { ByteStream } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { SocketReader } from '../http/socket-reader.ts';
import type { GatewayAnswer } from './far-error.ts';

/** A request as Node's HTTP/1.1 and HTTP/2 servers hand it over. */
export type GatewayRequest = IncomingMessage | Http2ServerRequest;
/** Where its answer goes. */
export type GatewayResponse = ServerResponse | Http2ServerResponse;

/** Whether a request carries a body: one of no bytes at all is none. */
export function hasBody(request: GatewayRequest): boolean {
  if ('stream' in request) {
    return !request.stream.endAfterHeaders && request.headers['content-length'] !== '0';
  }
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  return length !== '0' || encoding !== undefined;
}

/**
 * The body of a request; each chunk is valid until the next one is asked for.
 *
 * Not the request itself: whoever stops reading it early would destroy it, and the answer with it.
 */
export async function* bodyOf(request: GatewayRequest): ByteStream {
  if (request.destroyed) throw cut();
  if (request.socket instanceof Socket) yield* gathered(request);
  else yield* request.iterator({ destroyOnReturn: false });
  // Node ends a request that was reset as it ends a whole one.
  if ('stream' in request && request.stream.aborted) throw cut();
}

function cut(): UnreachableError {
  return new UnreachableError('Cannot read the request to its end: it was cut');
}

/** What comes from TLS in pieces of 16 KiB would be passed on in such. */
function gathered(request: GatewayRequest): ByteStream {
  const reader = new SocketReader();
  reader.attach(request);
  request.on('data', (chunk: Buffer) => {
    if (!reader.feed(chunk)) request.pause();
  });
  return reader;
}

/** Begins an answer. */
export function writeHead(
  response: GatewayResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  if ('stream' in response) response.writeHead(status, headers);
  else response.writeHead(status, headers);
}

/** Writes the body of an answer as fast as it is taken. @throws the reason of `signal`. */
export async function copyBody(
  body: ByteStream,
  response: GatewayResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {}); // told where somebody waits for it
  signal.addEventListener('abort', () => gone.reject(signal.reason), { once: true });
  const isSocket = response.socket instanceof Socket;
  for await (const chunk of body) {
    signal.throwIfAborted();
    // It may be overwritten when the next one is asked for; a stream of a session holds it beyond that.
    const kept = isSocket ? chunk : Buffer.from(chunk);
    await Promise.race([written(response, kept), gone.promise]);
  }
}

/** The two kinds of answer do this alike, but TypeScript does not unite their overloads. */
function written(response: GatewayResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if ('stream' in response) response.write(chunk, done);
    else response.write(chunk, done);
  });
}

/** Gives a whole answer, unless another one has begun. */
export function say(response: GatewayResponse, answer: GatewayAnswer): void {
  if (response.headersSent || response.destroyed) return;
  writeHead(response, answer.status, answer.headers);
  if ('stream' in response) response.end(answer.body);
  else response.end(answer.body);
}

/** An answer that cannot go on must not look like a whole one: `close` would end it first. */
export function breakOff(response: GatewayResponse): void {
  const reason = new UnreachableError('Lost the registry in the middle of its answer');
  if ('stream' in response) response.stream.destroy(reason);
  else response.destroy(reason);
}

/** Aborted when the client has gone, or has its answer. */
export function overOf(request: GatewayRequest, response: GatewayResponse): AbortSignal {
  const over = new AbortController();
  response.once('close', () => over.abort());
  request.once('aborted', () => over.abort());
  return over.signal;
}
