import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { makeServerCertificate } from '../../certificates.ts';
import type { ClientOptions, KubernetesClient } from '../client.ts';
import { openCluster } from '../open-cluster.ts';

/** A real HTTPS server that answers as a test wants it to, with a folder for a kubeconfig. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly server: Server;
  /** The CA that its clients are to trust; PEM. */
  readonly caPem: string;
  /** Every request so far, as `GET /path`. */
  readonly seen: readonly string[];
  /** Writes a kubeconfig with this cluster in it, and the given fields. */
  kubeconfig(fields?: {
    readonly cluster?: object;
    readonly user?: object;
    readonly namespace?: string;
  }): Promise<string>;
  /** Opens this cluster with such a kubeconfig. */
  open(
    fields?: Parameters<ApiServer['kubeconfig']>[0],
    options?: ClientOptions,
  ): Promise<KubernetesClient>;
}

/** Makes a server; its certificate is for 127.0.0.1 and `cluster.test`. */
export async function startApiServer(
  listener: RequestListener,
  tls: object = {},
): Promise<ApiServer> {
  const { caPem, certificatePem, keyPem } = await makeServerCertificate({
    dnsNames: ['cluster.test'],
    addresses: ['127.0.0.1'],
  });
  const seen: string[] = [];
  const clients: KubernetesClient[] = [];
  const server = createServer(
    { cert: certificatePem, key: keyPem, ...tls },
    (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      listener(request, response);
    },
  );
  const dropConnections = tracked(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'reposure-kubernetes-'));
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig: ApiServer['kubeconfig'] = async (fields = {}) => {
    const path = join(folder, 'config');
    await writeFile(path, stringify(configOf(url, caPem, fields)), { mode: 0o600 });
    return path;
  };
  return {
    url,
    port,
    folder,
    server,
    caPem,
    seen,
    kubeconfig,
    open: async (fields, options) => {
      const client = await openCluster({
        kubeconfig: await kubeconfig(fields),
        env: {},
        ...options,
      });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      dropConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A server does not forget upgraded connections by itself. */
function tracked(server: Server): () => void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

function configOf(
  server: string,
  ca: string,
  { cluster, user, namespace }: NonNullable<Parameters<ApiServer['kubeconfig']>[0]>,
): object {
  const authority = Buffer.from(ca).toString('base64');
  return {
    'current-context': 'test',
    clusters: [
      { name: 'test', cluster: { server, 'certificate-authority-data': authority, ...cluster } },
    ],
    users: [{ name: 'tester', user: { ...user } }],
    contexts: [
      {
        name: 'test',
        context: { cluster: 'test', user: 'tester', ...(namespace && { namespace }) },
      },
    ],
  };
}

/** Answers with JSON. */
export function answer(
  response: ServerResponse,
  body: object,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Answers as the API does when it says no. */
export function refuse(
  response: ServerResponse,
  status: number,
  reason: string,
  message: string,
): void {
  answer(response, { kind: 'Status', status: 'Failure', code: status, reason, message }, status);
}

/** The body of a request, as JSON. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks = await request.toArray();
  return JSON.parse(Buffer.concat(chunks as Buffer[]).toString());
}
