import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import type { Answer, FileBody } from './exchange.ts';
import type { Refusal } from './refusal.ts';

/** Fewer reads of the disk per megabyte than with the default of 64 KiB; held once per download. */
const chunkBytes = 256 * 1024;

/**
 * Sends an answer to its end; the body of an answer to `HEAD` is only counted.
 *
 * @throws if the client goes away, or the file ends early; the connection is then closed.
 */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers = {}, body } = answer;
  const length = lengthOf(body);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (status !== 204 && status !== 304) response.setHeader('Content-Length', length);
  response.writeHead(status);
  const hasBody = response.req.method !== 'HEAD' && length > 0;
  if (hasBody && isFile(body)) {
    await pipeline(
      createReadStream(body.path, { ...body.range, highWaterMark: chunkBytes }),
      response,
    );
  } else {
    response.end(hasBody ? body : undefined);
  }
}

/**
 * A refusal as the specification words it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export function answerOf({ status, code, message, headers }: Refusal): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ errors: [{ code, message }] }),
  };
}

function lengthOf(body: Answer['body']): number {
  if (body === undefined) return 0;
  if (!isFile(body)) return Buffer.byteLength(body);
  return body.range ? body.range.end - body.range.start + 1 : body.size;
}

function isFile(body: Answer['body']): body is FileBody {
  return typeof body === 'object' && 'path' in body;
}
