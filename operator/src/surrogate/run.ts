import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import type { Log } from '@reposure/core';
import { signedGateway } from '@reposure/core/surrogate';

import { startGatewayServer } from './gateway-server.ts';
import { healthCheck, isReady } from './health.ts';
import type { Health } from './health.ts';
import { keyFiles } from './key-files.ts';
import { forgetSlots } from './session-slots.ts';
import { upstreamOf } from './upstream.ts';

/** What the Pod's main program is started with. */
export interface RunOptions {
  readonly directory: string;
  readonly address: string;
  /** Of `/livez` and `/readyz`; 0 for any. */
  readonly port: number;
  /** Of the signed gateway, HTTPS; 0 for any. */
  readonly gatewayPort: number;
  readonly log: Log;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * The Pod's main program: answers `/livez` and `/readyz`, and serves the signed gateway; sessions
 * are processes beside it.
 */
export async function run(options: RunOptions): Promise<void> {
  const { directory, address, gatewayPort, log, signal } = options;
  await forgetSlots(directory);
  const upstream = upstreamOf(directory, log);
  const check = healthCheck(upstream);
  const server = createServer((request, response) => {
    void answer(request, response, check);
  });
  try {
    await listen(server, options);
    const gateway = await startGatewayServer({
      address,
      port: gatewayPort,
      handler: signedGateway({ upstream, keys: keyFiles(directory, log), log }),
    });
    log.info(`listening on ${JSON.stringify(server.address())}, gateway on port ${gateway.port}`);
    if (!signal.aborted) await once(signal, 'abort');
    await gateway.close();
  } finally {
    server.close();
    server.closeAllConnections();
    await upstream.close();
  }
}

async function listen(server: Server, { address, port }: RunOptions): Promise<void> {
  server.listen(port, address);
  await once(server, 'listening');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  check: () => Promise<Health>,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') say(response, 405, {});
  else if (request.url === '/livez') say(response, 200, { alive: true });
  else if (request.url === '/readyz') {
    const health = await check();
    say(response, isReady(health) ? 200 : 503, health);
  } else say(response, 404, {});
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
