import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ByteStream } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import type { GatewayAnswer } from './far-error.ts';
import { StreamedRequest } from './serve-request.ts';
import { YamuxStream } from './yamux/stream.ts';

/** Whether a request carries a body: one of no bytes at all is none. */
export function hasBody(request: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  return length !== '0' || encoding !== undefined;
}

/**
 * The body of a request; each chunk is valid until the next one is asked for.
 *
 * Not the request itself: whoever stops reading it early would destroy it, and the answer with it.
 */
export async function* bodyOf(request: IncomingMessage): ByteStream {
  if (request.destroyed) throw cut();
  if (request instanceof StreamedRequest) yield* request.bytes();
  else yield* request.iterator({ destroyOnReturn: false });
}

function cut(): UnreachableError {
  return new UnreachableError('Cannot read the request to its end: it was cut');
}

/** Writes the body of an answer as fast as it is taken. @throws the reason of `signal`. */
export async function copyBody(
  body: ByteStream,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {}); // told where somebody waits for it
  signal.addEventListener('abort', () => gone.reject(signal.reason), { once: true });
  const { socket } = response;
  // Their memory may be used again once a stream of a session has sent them, and not before.
  const sent = async (): Promise<void> => {
    if (socket instanceof YamuxStream) await socket.sent();
  };
  for await (const chunk of body) {
    signal.throwIfAborted();
    await Promise.race([written(response, chunk).then(sent), gone.promise]);
  }
}

function written(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Gives a whole answer, unless another one has begun. */
export function say(response: ServerResponse, answer: GatewayAnswer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

/** An answer that cannot go on must not look like a whole one: `close` would end it first. */
export function breakOff(response: ServerResponse): void {
  response.destroy(new UnreachableError('Lost the registry in the middle of its answer'));
}

/** Aborted when the client has gone, or has its answer. */
export function overOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const over = new AbortController();
  response.once('close', () => over.abort());
  request.once('aborted', () => over.abort());
  return over.signal;
}
