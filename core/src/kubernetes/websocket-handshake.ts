import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';

import { TimeoutError } from '../errors.ts';
import { request as httpRequest } from '../node-http.ts';
import type { Dressing } from './connection.ts';
import { WebSocket } from './websocket.ts';

/** How a WebSocket is asked for. */
export interface HandshakeOptions extends Dressing {
  /** Subprotocols, best first: the server has to agree to one. */
  readonly protocols: readonly string[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Somebody agreed to another protocol than the one that was asked for. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** What a server concatenates with our key. @see https://www.rfc-editor.org/rfc/rfc6455#section-1.3 */
const serverGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Asks for a WebSocket.
 *
 * @param url `https://…` or `http://…`
 * @returns The WebSocket, or an answer that is none; whoever gets that reads or destroys it.
 * @throws {HandshakeError} if what was agreed to is no WebSocket, or speaks none of the protocols.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-4.1
 */
export async function openWebSocket(
  url: string,
  { agent, headers, protocols, timeoutMs, signal }: HandshakeOptions,
): Promise<WebSocket | IncomingMessage> {
  const isSecure = url.startsWith('https:');
  const key = randomBytes(16).toString('base64');
  const open = isSecure ? httpsRequest : httpRequest;
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket | IncomingMessage>();
  const request = open(url, {
    agent,
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      'sec-websocket-protocol': protocols.join(','),
    },
    ...(signal && { signal }),
  });
  const overdue = setTimeout(() => {
    request.destroy(new TimeoutError(`no answer within ${timeoutMs / 1000} s`));
  }, timeoutMs);
  request.once('close', () => clearTimeout(overdue));
  request.on('error', reject);
  request.once('response', resolve);
  request.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
    const mistake = mistakeIn(response, key, protocols);
    if (mistake) {
      socket.destroy();
      reject(new HandshakeError(mistake));
      return;
    }
    const protocol = response.headers['sec-websocket-protocol'] ?? '';
    // A mask keeps scripts in browsers from tricking caches in between; inside TLS there are none,
    // and masking is a large part of what sending costs.
    const masking = isSecure ? 'zero' : 'random';
    // Here and not after an await: the socket wants somebody who hears its errors.
    resolve(new WebSocket({ socket, head, protocol, masking }));
  });
  request.end();
  return promise;
}

function mistakeIn(
  { headers }: IncomingMessage,
  key: string,
  protocols: readonly string[],
): string | undefined {
  const accept = createHash('sha1').update(`${key}${serverGuid}`).digest('base64');
  const protocol = headers['sec-websocket-protocol'];
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return `the server changes to "${headers.upgrade}"; want "websocket"`;
  }
  if (headers['sec-websocket-accept'] !== accept) {
    return 'its Sec-WebSocket-Accept does not belong to our Sec-WebSocket-Key';
  }
  if (headers['sec-websocket-extensions']) {
    return `the server uses the extension "${headers['sec-websocket-extensions']}"; want none`;
  }
  if (protocol === undefined || !protocols.includes(protocol)) {
    return `the server chose the subprotocol "${protocol ?? ''}"; want ${protocols.join(' or ')}`;
  }
  return undefined;
}
