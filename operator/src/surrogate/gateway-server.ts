import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server } from 'node:tls';

import { makeServerCertificate } from '@reposure/core';
import { serveConnection } from '@reposure/core/surrogate';

/** How a gateway is served. */
export interface GatewayServerOptions {
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  readonly handler: RequestListener;
  /** Requests at the same time; one more is told to come back. */
  readonly maxRequests?: number;
}

/** A gateway that listens. */
export interface GatewayServer {
  readonly port: number;
  /** Takes no new requests, and cuts what is still under way after a while. */
  close(graceMs?: number): Promise<void>;
}

const limits = {
  maxConnections: 256,
  maxRequests: 128,
  handshakeTimeoutMs: 10_000,
  /** Longer than the API server's proxy keeps a connection (90 s): it must not find one just closed. */
  keepAliveTimeoutMs: 120_000,
  /** Without any byte; longer than a registry may take to hash a blob (`core/src/registry/exchange.ts`). */
  idleTimeoutMs: 600_000,
  /** A Pod has 30 s to end. */
  graceMs: 10_000,
} as const;

/**
 * Serves a gateway by HTTPS, with a certificate made on the spot.
 *
 * The API server verifies no certificate of a backend: it only keeps the Pod network from reading
 * along. Who may ask, and that the answer is the gateway's, is proved by signatures.
 */
export async function startGatewayServer(options: GatewayServerOptions): Promise<GatewayServer> {
  const { address, port, handler, maxRequests = limits.maxRequests } = options;
  const { certificatePem, keyPem } = await makeServerCertificate({
    dnsNames: ['reposure-surrogate'],
    addresses: [],
  });
  const server = createServer({
    cert: certificatePem,
    key: keyPem,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.handshakeTimeoutMs,
    noDelay: true,
  });
  server.maxConnections = limits.maxConnections;
  const connections = new Connections(server, limited(handler, maxRequests));
  server.listen(port, address);
  await once(server, 'listening');
  const listening = server.address();
  return {
    port: typeof listening === 'object' && listening !== null ? listening.port : port,
    close: (graceMs = limits.graceMs) => connections.close(graceMs),
  };
}

/** The connections of a server. */
class Connections {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  constructor(server: Server, handler: RequestListener) {
    this.#server = server;
    server.on('secureConnection', (socket) => this.#serve(socket, handler));
    server.on('tlsClientError', (_, socket) => void socket.destroy());
  }

  /** Takes no new requests, and cuts what is still under way when the time is over. */
  async close(graceMs: number): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) if (!this.#busy.has(socket)) socket.destroy();
    const deadline = setTimeout(() => this.#open.forEach((socket) => socket.destroy()), graceMs);
    await closed;
    clearTimeout(deadline);
  }

  #serve(socket: Socket, handler: RequestListener): void {
    this.#open.add(socket);
    socket.once('close', () => [this.#open, this.#busy].forEach((all) => all.delete(socket)));
    socket.on('error', () => {}); // a client was lost
    socket.setTimeout(limits.idleTimeoutMs, () => void socket.destroy());
    // Its handshake was under way when the server was closed.
    if (!this.#server.listening) socket.destroy();
    void serveConnection(socket, {
      handler,
      headTimeoutMs: limits.keepAliveTimeoutMs,
      onBusy: (isBusy) => void (isBusy ? this.#busy.add(socket) : this.#busy.delete(socket)),
      isEnding: () => !this.#server.listening,
    });
  }
}

function limited(handler: RequestListener, maxRequests: number): RequestListener {
  let underWay = 0;
  return (request, response) => {
    if (underWay >= maxRequests) {
      refuse(response);
      return;
    }
    underWay += 1;
    response.once('close', () => (underWay -= 1));
    handler(request, response);
  };
}

function refuse(response: ServerResponse): void {
  const message = 'the surrogate has as many requests under way as it takes; want another try';
  response.shouldKeepAlive = false;
  response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end(`${message}\n`);
}
