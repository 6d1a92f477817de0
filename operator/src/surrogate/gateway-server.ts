import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

import { makeServerCertificate } from '@reposure/core';

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
  headersTimeoutMs: 30_000,
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
    handshakeTimeout: limits.handshakeTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // An upload may take hours.
    requestTimeout: 0,
  });
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.idleTimeoutMs;
  server.on('request', limited(server, handler, maxRequests));
  server.listen(port, address);
  await once(server, 'listening');
  const listening = server.address();
  return {
    port: typeof listening === 'object' && listening !== null ? listening.port : port,
    close: (graceMs = limits.graceMs) => close(server, graceMs),
  };
}

function limited(server: Server, handler: RequestListener, maxRequests: number): RequestListener {
  let underWay = 0;
  return (request, response) => {
    if (underWay >= maxRequests) {
      refuse(response);
      return;
    }
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      // Kept alive otherwise, and with it the server.
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    handler(request, response);
  };
}

function refuse(response: ServerResponse): void {
  const message = 'the surrogate has as many requests under way as it takes; want another try';
  response
    .writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1', connection: 'close' })
    .end(`${message}\n`);
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(deadline);
}
