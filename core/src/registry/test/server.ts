import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** What arrived at a {@link TestServer}. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server for tests, which does to its clients what no honest registry would. */
export interface TestServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly arrived: readonly Arrived[];
  close(): Promise<void>;
}

/** Answers a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server on a free port of 127.0.0.1; over TLS if it is given a certificate. */
export async function startTestServer(
  answer: Answer,
  tls?: { readonly cert: string; readonly key: string },
): Promise<TestServer> {
  const arrived: Arrived[] = [];
  const listener: Answer = (request, response) => {
    const { method = '', url = '', headers } = request;
    arrived.push({ method, url, headers });
    answer(request, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createPlainServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    host: `127.0.0.1:${port}`,
    arrived,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
