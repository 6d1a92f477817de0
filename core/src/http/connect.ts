import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';

import { Connection, ConnectionError } from './connection.ts';
import type { Keeper } from './connection.ts';
import { hostOf, portOf, proxyHeaders } from './proxies.ts';
import { SocketReader } from './socket-reader.ts';
import { openTunnel } from './tunnel.ts';

/** How TLS is spoken. */
export interface TlsSettings {
  /** Whom it trusts, by default whom Node does; and the certificate of this end, if there is one. */
  readonly secureContext?: SecureContext | undefined;
  /** The origin's, where its certificate has another one than its URL. */
  readonly servername?: string | undefined;
  /** Any certificate will do. Only ever because a person wrote it. */
  readonly isUnverified?: boolean | undefined;
}

/** Where a connection leads, and how. */
export interface Way {
  readonly origin: URL;
  readonly proxy: URL | undefined;
  readonly tls: TlsSettings;
}

/** With TLS, and with what a proxy takes. */
const connectTimeoutMs = 10_000;
/** Idle connections are checked from here on. */
const keepAliveDelayMs = 15_000;

/**
 * Opens a connection to an origin, or to the proxy in front of it.
 *
 * @throws {ConnectionError} if it takes too long, or the proxy does not let us through.
 * @throws the reason of `signal`, or what the system says.
 */
export async function connect(way: Way, keeper: Keeper, signal?: AbortSignal): Promise<Connection> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate()), connectTimeoutMs);
  const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  try {
    return await opened(way, keeper, either);
  } finally {
    clearTimeout(timer);
  }
}

async function opened(way: Way, keeper: Keeper, signal: AbortSignal): Promise<Connection> {
  const { origin, proxy, tls } = way;
  const { secureContext } = tls;
  const bytes = new SocketReader();
  const isTunnel = proxy !== undefined && origin.protocol === 'https:';
  const socket = isTunnel
    ? await throughTunnel(way, proxy, signal)
    : await openSocket(
        proxy ?? origin,
        { tls: proxy ? { secureContext } : tls, onread: bytes.onread },
        signal,
      );
  socket.setNoDelay(true).setKeepAlive(true, keepAliveDelayMs);
  if (isTunnel) bytes.attachCopying(socket);
  else bytes.attach(socket);
  if (!proxy || isTunnel) return new Connection(socket, bytes, keeper);
  const targetPrefix = `http://${origin.host}`;
  return new Connection(socket, bytes, keeper, { targetPrefix, headers: proxyHeaders(proxy) });
}

/** TLS over a socket, which takes no `onread`. */
async function throughTunnel(
  { origin, tls }: Way,
  proxy: URL,
  signal: AbortSignal,
): Promise<Socket> {
  const to = await openSocket(proxy, { tls: { secureContext: tls.secureContext } }, signal);
  const tunnel = await openTunnel(to, origin, proxyHeaders(proxy), signal);
  return await openSocket(origin, { tls, socket: tunnel }, signal);
}

interface SocketOptions {
  readonly tls: TlsSettings;
  readonly onread?: SocketReader['onread'];
  /** Instead of a new one. */
  readonly socket?: Socket;
}

async function openSocket(
  at: URL,
  { tls, onread, socket: under }: SocketOptions,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const host = hostOf(at);
  const where = {
    host,
    port: portOf(at),
    ...(onread && { onread }),
    ...(under && { socket: under }),
  };
  const isTls = at.protocol === 'https:';
  const socket = isTls ? connectTls({ ...where, ...tlsOptions(tls, host) }) : connectPlain(where);
  return await ready(socket, isTls ? 'secureConnect' : 'connect', signal);
}

function tlsOptions(
  { secureContext, servername, isUnverified = false }: TlsSettings,
  host: string,
): ConnectionOptions {
  return {
    ...(secureContext && { secureContext }),
    servername: servername ?? (isIP(host) ? '' : host),
    rejectUnauthorized: !isUnverified,
  };
}

function ready(socket: Socket, event: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays: an error that nobody listens to would end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(event, () => {
      signal.removeEventListener('abort', onAbort);
      resolve(socket);
    });
  });
}

function tooLate(): ConnectionError {
  return new ConnectionError(
    `it took no connection within ${connectTimeoutMs / 1000} s`,
    'CONNECT_TIMEOUT',
  );
}
