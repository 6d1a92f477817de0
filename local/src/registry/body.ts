import type { IncomingMessage } from 'node:http';

import type { ByteStream } from '@reposure/core';

import { Refusal } from './refusal.ts';
import type { Incoming } from './store/uploads.ts';

/**
 * A request's body. Whoever stops reading it leaves the connection as it is, so that the answer
 * still reaches the client.
 */
export function chunksOf(request: IncomingMessage): ByteStream {
  return request.iterator({ destroyOnReturn: false }) as ByteStream;
}

/**
 * A request's body as a part of an upload.
 *
 * @throws {Refusal} (400) if `Content-Range` does not say where it belongs.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export function incomingOf(request: IncomingMessage): Incoming {
  return {
    chunks: chunksOf(request),
    from: startOf(request),
    cancel: () => void request.destroy(),
  };
}

function startOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['content-range'];
  if (text === undefined) return undefined;
  // The specification has `0-99`; RFC 9110's own form is `bytes 0-99/*`.
  const match = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(text.trim());
  if (!match) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'want Content-Range: <start>-<end>');
  const [, start, end] = match.map(Number) as [number, number, number];
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== end - start + 1) {
    const message = `Content-Range holds ${end - start + 1} bytes, Content-Length says ${length}`;
    throw new Refusal(400, 'SIZE_INVALID', message);
  }
  return start;
}
