import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { makeServerCertificate } from '@reposure/core';

import { createApi } from './api.ts';
import type { ApiOptions } from './api.ts';
import { bootstrap } from './bootstrap.ts';
import { manageNamespaces } from './namespaces.ts';

/** A Kubernetes API that is being served. */
export interface ApiServer {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** The CA of its certificate. */
  readonly caPem: string;
  /** Ends every connection, and with them the watches and execs. */
  close(): Promise<void>;
}

/** Serves the Kubernetes API on a free port of this machine, over TLS with a CA of its own. */
export async function startApiServer(options: ApiOptions): Promise<ApiServer> {
  const { caPem, certificatePem, keyPem } = await makeServerCertificate({
    dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    addresses: ['127.0.0.1'],
  });
  const api = createApi(options);
  bootstrap(options.store);
  const stopNamespaces = manageNamespaces(options.store, { caPem });
  // Watches and uploads take their time.
  const server = createServer({
    cert: certificatePem,
    key: keyPem,
    requestTimeout: 0,
    // As real servers have it; with less, clients meet connections that have just been closed.
    keepAliveTimeout: 120_000,
  });
  server.on('request', (request, response) => {
    api.handle(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    api.upgrade(request, socket, head);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caPem,
    close: async () => {
      stopNamespaces();
      const closed = once(server, 'close');
      server.close();
      api.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
