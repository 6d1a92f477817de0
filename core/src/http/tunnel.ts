import type { Socket } from 'node:net';

import { ConnectionError } from './connection.ts';
import { readAnswerHead } from './head.ts';
import { MessageReader } from './message-reader.ts';
import { hostOf, portOf } from './proxies.ts';

/**
 * Has a proxy open a tunnel to an origin.
 *
 * @param proxy Belongs to the tunnel.
 * @param headers For the proxy alone: its login.
 * @throws {ConnectionError} if the proxy refuses.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
export async function openTunnel(
  proxy: Socket,
  to: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Socket> {
  const onAbort = (): void => void proxy.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    proxy.write(requestFor(to, headers));
    const status = await answerOf(proxy);
    if (status >= 200 && status < 300) return proxy;
    throw new ConnectionError(`the proxy answered ${status} to CONNECT`, 'PROXY_REFUSED');
  } catch (error) {
    proxy.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function requestFor(to: URL, headers: Readonly<Record<string, string>>): string {
  const host = hostOf(to);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${portOf(to)}`;
  const lines = Object.entries({ host: authority, ...headers }).map((line) => line.join(': '));
  return [`CONNECT ${authority} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

async function answerOf(proxy: Socket): Promise<number> {
  const chunks = proxy.iterator({ destroyOnReturn: false });
  try {
    const { status } = await readAnswerHead(new MessageReader(chunks));
    return status;
  } finally {
    // What is behind the head is TLS, and not for us.
    await chunks.return?.();
  }
}
