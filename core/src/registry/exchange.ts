import { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

import type { ByteStream } from '../bytes.ts';
import { ContentMismatchError } from '../oci/index.ts';
import type { RegistryRequest, RegistryResponse } from './transport.ts';
import { unreachable } from './unreachable.ts';

/**
 * Sends one request to one origin, as it stands: no login, no redirects.
 *
 * @throws {UnreachableError} if no answer came.
 */
export type Exchange = (origin: string, request: RegistryRequest) => Promise<RegistryResponse>;

const headersTimeoutMs = 60_000;
// The last request of an upload: the registry may copy or hash all of it before it answers.
const commitTimeoutMs = 300_000;
const stallTimeoutMs = 30_000;
const drainTimeoutMs = 1000;
const maxDrainBytes = 64 * 1024;

/** Exchanges over undici's connections, with flow control to both ends. */
export function exchangeOver(
  dispatcherFor: (origin: string) => Dispatcher,
  userAgent: string,
): Exchange {
  return async (origin, request) => {
    const { method, path, signal } = request;
    signal?.throwIfAborted();
    const source = sourceOf(request.body);
    try {
      const answer = await dispatcherFor(origin).request({
        origin,
        method,
        path,
        headers: { 'user-agent': userAgent, ...request.headers },
        body: source.body,
        signal: signal ?? null,
        headersTimeout: method === 'PUT' ? commitTimeoutMs : headersTimeoutMs,
        bodyTimeout: stallTimeoutMs,
      });
      return responseOf(answer, origin, signal);
    } catch (error) {
      throw translated(source.failure() ?? error, { origin, request, isOurs: !!source.failure() });
    }
  };
}

interface RequestSource {
  readonly body: Readable | Uint8Array | null;
  /** What the stream itself failed with, as opposed to the connection. */
  failure(): unknown;
}

function sourceOf(body: RegistryRequest['body']): RequestSource {
  if (body === undefined) return { body: null, failure: () => undefined };
  if (body instanceof Uint8Array) return { body, failure: () => undefined };
  let failure: unknown;
  const watched = guarded(body, (error) => {
    failure ??= error;
    return error;
  });
  const readable = Readable.from(watched, { objectMode: false });
  // The request reports it; an error that comes when the request is over concerns nobody.
  readable.on('error', () => {});
  return { body: readable, failure: () => failure };
}

function translated(
  error: unknown,
  { origin, request, isOurs }: { origin: string; request: RegistryRequest; isOurs: boolean },
): unknown {
  if (request.signal?.aborted) return request.signal.reason;
  if (isOurs) return error;
  if (codeOf(error) === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new ContentMismatchError('The content to send has another size than was announced', {
      cause: error,
    });
  }
  return unreachable(origin, error);
}

function responseOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  origin: string,
  signal: AbortSignal | undefined,
): RegistryResponse {
  // Who breaks off reading is not interested in how the connection took it.
  body.on('error', () => {});
  return {
    status: statusCode,
    headers: joined(headers),
    body: guarded(body, (error) => (signal?.aborted ? signal.reason : unreachable(origin, error))),
    discard: async () => {
      if (body.destroyed || body.readableEnded) return;
      // A short rest is read, so that the connection can serve again; a long one costs more than a new one.
      const enough = AbortSignal.timeout(drainTimeoutMs);
      await body.dump({ limit: maxDrainBytes, signal: enough }).catch(() => {});
    },
  };
}

/** Replaces what a source fails with; what its reader throws into it is none of its failures. */
async function* guarded(
  stream: ByteStream,
  failureOf: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  const source = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await source.next().catch((error: unknown) => {
        throw failureOf(error);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

function joined(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
