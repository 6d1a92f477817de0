import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

import { framingOf, readBody } from '../http/body.ts';
import { readRequestHead } from '../http/head.ts';
import { MessageError, TruncatedMessageError } from '../http/message-error.ts';
import { MessageReader } from '../http/message-reader.ts';
import { SocketReader } from '../http/socket-reader.ts';
import type { ServerResponse } from '../node-http.ts';
import { responseTo, StreamedRequest } from './serve-request.ts';

/** How a connection is served. */
export interface ConnectionOptions {
  readonly handler: RequestListener;
  /** For the next request to come, with all of its headers. */
  readonly headTimeoutMs: number;
  /** Told when a request has come, and when it has its answer. */
  readonly onBusy?: (isBusy: boolean) => void;
  /** Asked behind each answer: whether it was the last one. */
  readonly isEnding?: () => boolean;
}

const continues = 'HTTP/1.1 100 Continue\r\n\r\n';
const refused = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/**
 * Serves the requests of one connection, one after the other, as Node's own server would: but that
 * one parses and hands on each 16 KiB that TLS gives it, which takes a third of what passing on
 * an upload does.
 *
 * @returns when the connection has ended; never throws.
 */
export async function serveConnection(socket: Socket, options: ConnectionOptions): Promise<void> {
  const bytes = new SocketReader();
  bytes.attachCopying(socket);
  const reader = new MessageReader(bytes);
  try {
    while (await serveNext(socket, reader, options));
    socket.end();
  } catch (error) {
    const isRefused = error instanceof MessageError && !(error instanceof TruncatedMessageError);
    if (isRefused && socket.writable) socket.end(refused);
    else socket.destroy();
  }
}

/** @returns Whether another request may follow. */
async function serveNext(
  socket: Socket,
  reader: MessageReader,
  { handler, headTimeoutMs, onBusy, isEnding }: ConnectionOptions,
): Promise<boolean> {
  const late = setTimeout(() => socket.destroy(), headTimeoutMs);
  const head = await readRequestHead(reader).finally(() => clearTimeout(late));
  const framing = framingOf(head.headers, 0);
  const { connection = '', expect = '' } = head.headers;
  const body = readBody(reader, framing);
  const request = new StreamedRequest(socket, head, body);
  const response = responseTo(request, socket);
  response.shouldKeepAlive = !/\bclose\b/i.test(connection);
  if (/\b100-continue\b/i.test(expect)) socket.write(continues);
  onBusy?.(true);
  const ended = endOf(response, socket);
  handler(request, response);
  const isWhole = await ended;
  onBusy?.(false);
  // What nobody wanted stands before the next request; and who still sends would not read the answer.
  if (isWhole) for await (const _ of body);
  request.leave();
  return isWhole && response.shouldKeepAlive && !isEnding?.();
}

/** @returns Whether all of the answer has left; the response is closed then, as Node's server does it. */
async function endOf(response: ServerResponse, socket: Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  response.once('close', () => resolve(false));
  response.once('finish', () => resolve(true));
  const isWhole = await promise;
  if (!isWhole) return false;
  response.detachSocket(socket);
  response.emit('close');
  return true;
}
