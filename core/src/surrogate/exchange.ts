import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

import type { ByteStream } from '../bytes.ts';
import type { RegistryRequest, RegistryResponse } from '../registry/transport.ts';
import { abandon, readBody } from './body-reader.ts';

/** Says why an answer did not come, or not to its end. */
export type Lost = (cause: unknown) => unknown;

/** A session, and its requests that are under way. */
export interface Connection {
  readonly session: ClientHttp2Session;
  readonly streams: Set<ClientHttp2Stream>;
}

/** Up to here, reading the rest of an answer is cheaper than to break it off. */
const maxDrainedBytes = 64 * 1024;

/**
 * Sends one request over a session, and resolves with the head of its answer.
 *
 * @param lost Makes the error for a stream that ended before its answer did.
 * @throws what `lost` makes, the reason of the request's signal, or what its body threw.
 */
export async function exchange(
  { session, streams }: Connection,
  request: RegistryRequest,
  lost: Lost,
): Promise<RegistryResponse> {
  const { signal } = request;
  signal?.throwIfAborted();
  const stream = start(session, request, lost);
  let reason: { readonly error: unknown } | undefined;
  const giveUp = (error: unknown): void => {
    reason ??= { error };
    abandon(stream);
  };
  const failure: Lost = (cause) => (reason ? reason.error : lost(cause));
  const onAbort = (): void => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  streams.add(stream);
  stream.once('close', () => {
    streams.delete(stream);
    signal?.removeEventListener('abort', onAbort);
  });
  stream.on('error', () => {}); // told by whoever waits for it; nobody may be waiting
  if (request.body !== undefined) void send(stream, request.body).catch(giveUp);
  try {
    return responseOn(stream, await headOf(stream), failure);
  } catch (error) {
    throw failure(error);
  }
}

function start(
  session: ClientHttp2Session,
  { method, path, headers, body }: RegistryRequest,
  lost: Lost,
): ClientHttp2Stream {
  const length =
    body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : undefined;
  try {
    return session.request(
      { ':method': method, ':path': path, ...headers, ...length },
      { endStream: body === undefined },
    );
  } catch (error) {
    throw lost(error);
  }
}

async function send(stream: ClientHttp2Stream, body: Uint8Array | ByteStream): Promise<void> {
  if (body instanceof Uint8Array) {
    stream.end(body);
    return;
  }
  for await (const chunk of body) {
    // Also when the far side answered before the end, and wants no more.
    if (!stream.writable) return;
    if (!stream.write(chunk)) await writable(stream);
  }
  if (stream.writable) stream.end();
}

function writable(stream: ClientHttp2Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const settle = (): void => {
    stream.off('drain', settle).off('close', settle);
    resolve();
  };
  if (stream.destroyed) resolve();
  else stream.on('drain', settle).on('close', settle);
  return promise;
}

function headOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the stream was closed')));
  });
}

function responseOn(
  stream: ClientHttp2Stream,
  head: IncomingHttpHeaders,
  failure: Lost,
): RegistryResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(head)) {
    if (name.startsWith(':') || value === undefined) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    status: Number(head[':status']),
    headers,
    body: readBody(stream, failure),
    discard: () => discard(stream, Number(headers['content-length'] ?? Infinity)),
  };
}

async function discard(stream: ClientHttp2Stream, length: number): Promise<void> {
  // Not `closed`: that is so as soon as all frames have come, whether anybody reads them or not.
  if (stream.destroyed) return;
  const isCheap = length <= maxDrainedBytes && stream.writableEnded && !stream.readableDidRead;
  const closed = new Promise<void>((resolve) => void stream.once('close', resolve));
  if (isCheap) stream.resume();
  else abandon(stream);
  await closed;
}
