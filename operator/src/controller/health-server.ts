import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';

/** What is wrong; `undefined` if nothing is. */
export type Check = () => string | undefined;

/** A server that can be asked how the operator is. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What the server tells. */
export interface Told {
  readonly live: Check;
  readonly ready: Check;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves `/livez` and `/readyz`, which answer 200, or 503 with a sentence; and `/metrics`.
 *
 * @param port 0 for any.
 */
export async function startHealthServer(
  { address, port }: { readonly address: string; readonly port: number },
  told: Told,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.url === '/livez') answer(response, told.live());
    else if (request.url === '/readyz') answer(response, told.ready());
    else if (request.url === '/metrics') void answerMetrics(response, told.metrics);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return { port: portOf(server), close: () => closed(server) };
}

function answer(response: ServerResponse, trouble: string | undefined): void {
  response.writeHead(trouble === undefined ? 200 : 503, { 'content-type': 'text/plain' });
  response.end(`${trouble ?? 'ok'}\n`);
}

async function answerMetrics(response: ServerResponse, metrics: Told['metrics']): Promise<void> {
  const text = await metrics();
  response.writeHead(200, { 'content-type': metricsType }).end(text);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
