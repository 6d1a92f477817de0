import type { Duplex } from 'node:stream';

import type { ByteStream } from '../bytes.ts';
import { chunkOf, endOfChunks, framingOf, readBody } from '../http/body.ts';
import type { Framing } from '../http/body.ts';
import { formatRequest, readAnswerHead } from '../http/head.ts';
import type { AnswerHead, Headers } from '../http/head.ts';
import { MessageReader } from '../http/message-reader.ts';
import type { RegistryRequest, RegistryResponse } from '../registry/transport.ts';
import type { YamuxStream } from './yamux/stream.ts';

/** Says why an answer did not come, or not to its end. */
export type Lost = (cause: unknown) => unknown;

/** Up to here, reading the rest of an answer is cheaper than to break it off. */
const maxDrainedBytes = 64 * 1024;

/** About one hop, and not about what was answered. */
const hopHeaders: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * Sends one request as HTTP/1.1 on a stream of its own, and resolves with the head of its answer.
 *
 * @param stream Belongs to the exchange.
 * @param lost Makes the error for a stream that ended before its answer did.
 * @throws what `lost` makes, the reason of the request's signal, or what its body threw.
 */
export async function exchange(
  stream: YamuxStream,
  request: RegistryRequest,
  lost: Lost,
): Promise<RegistryResponse> {
  const { signal } = request;
  let reason: { readonly error: unknown } | undefined;
  const giveUp = (error: unknown): void => {
    reason ??= { error };
    stream.destroy();
  };
  const failure: Lost = (cause) => (reason ? reason.error : lost(cause));
  const onAbort = (): void => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => signal?.removeEventListener('abort', onAbort));
  if (signal?.aborted) onAbort();
  void send(stream, request).catch(giveUp);
  const reader = new MessageReader(stream.bytes());
  try {
    const head = await readAnswerHead(reader);
    const framing = request.method === 'HEAD' ? 0 : framingOfAnswer(head);
    return responseOn({ stream, reader, framing, failure }, head);
  } catch (error) {
    stream.destroy();
    throw failure(error);
  }
}

async function send(stream: YamuxStream, request: RegistryRequest): Promise<void> {
  const { method, path, body } = request;
  const framing = framingOfRequest(request);
  const headers = { host: 'surrogate', ...request.headers, ...(body && headersOf(framing)) };
  stream.write(formatRequest({ method, target: path, headers }));
  if (body instanceof Uint8Array) stream.write(body);
  else if (body) {
    for await (const part of body) {
      // Also when the far side answered before the end, and wants no more.
      if (stream.destroyed) return;
      for (const chunk of framing === 'chunked' ? chunkOf(part) : [part]) stream.write(chunk);
      await stream.sent(); // the next part may overwrite this one
    }
    if (framing === 'chunked' && !stream.destroyed) stream.write(endOfChunks());
  }
  if (!stream.destroyed) stream.end();
}

function framingOfRequest({ body, headers = {} }: RegistryRequest): Framing {
  if (body instanceof Uint8Array) return body.byteLength;
  return body ? framingOf(headers, 'chunked') : 0;
}

function headersOf(framing: Framing): Headers {
  return typeof framing === 'number'
    ? { 'content-length': String(framing) }
    : { 'transfer-encoding': 'chunked' };
}

function framingOfAnswer({ status, headers }: AnswerHead): Framing {
  return status === 204 || status === 304 ? 0 : framingOf(headers, 'to the end');
}

/** An answer whose head was read. */
interface Answer {
  readonly stream: Duplex;
  readonly reader: MessageReader;
  readonly framing: Framing;
  readonly failure: Lost;
}

function responseOn(answer: Answer, { status, headers }: AnswerHead): RegistryResponse {
  const { stream, framing } = answer;
  let isBegun = false;
  const body = async function* body(): ByteStream {
    isBegun = true;
    yield* bodyOf(answer);
  };
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name))),
    body: body(),
    discard: async () => {
      const isCheap = typeof framing === 'number' && framing <= maxDrainedBytes && !isBegun;
      if (isCheap) letGo(answer);
      else stream.destroy();
      await closed(stream);
    },
  };
}

async function* bodyOf(answer: Answer): ByteStream {
  const { stream, reader, framing, failure } = answer;
  let isWhole = false;
  try {
    yield* readBody(reader, framing);
    isWhole = true;
  } catch (error) {
    throw failure(error);
  } finally {
    if (isWhole) letGo(answer);
    else stream.destroy();
  }
}

/** What still comes is not wanted, and neither is what was not sent yet. */
function letGo({ stream, reader }: Answer): void {
  if (stream.writableEnded) reader.drain().catch(() => stream.destroy());
  else stream.destroy();
}

async function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => void stream.once('close', resolve));
}
