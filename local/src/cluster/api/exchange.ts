import type { IncomingMessage, ServerResponse } from 'node:http';

import { collect, LimitExceededError } from '@reposure/core';
import { parse as parseYaml } from 'yaml';

import type { Fields } from './object.ts';
import { isFields } from './object.ts';
import { decodeProtobuf, protobufType } from './protobuf.ts';
import type { RequestInfo } from './request-info.ts';
import { badRequest, StatusError, statusOf } from './status.ts';
import type { User } from './tokens.ts';

/** One request, whose sender is known, and the way to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly user: User;
}

/** As etcd has it, and the API server. */
const maxBodyBytes = 3 * 1024 * 1024;

/** Answers with JSON. @param type The media type, if it is not plain JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  type = 'application/json',
): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}

/** Answers with plain text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

/** Answers with the Status of a failure; what is under way already is cut instead. */
export function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = statusOf(error);
  sendJson(response, status.code, status);
}

/** The last part of a content type: `application/json`. */
export function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
}

/**
 * Reads a body of JSON or YAML; an empty one is `undefined`.
 *
 * @throws {StatusError} 400, 413 or 415.
 */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = contentTypeOf(request);
  const bytes = await readBytes(request);
  if (type === protobufType && bytes.length > 0) return decodeProtobuf(bytes);
  const text = bytes.toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    if (type.endsWith('yaml')) return parseYaml(text) as unknown;
    if (type.endsWith('json')) return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(
      `Cannot read the body as ${type}: ${error instanceof Error ? error.message : 'broken'}`,
    );
  }
  throw new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml (found ${type})`,
  );
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  try {
    return await collect(request, 'the body of the request', maxBodyBytes);
  } catch (error) {
    if (!(error instanceof LimitExceededError)) throw error;
    throw new StatusError(413, 'RequestEntityTooLarge', error.message);
  }
}

/** Reads a body that is a JSON object. @throws {StatusError} 400 */
export async function readFields(request: IncomingMessage): Promise<Fields> {
  const body = await readBody(request);
  if (!isFields(body)) throw badRequest('Cannot read the body: found none; want an object');
  return body;
}
