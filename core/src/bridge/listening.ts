import { once } from 'node:events';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer } from 'node:http';

import { InputError } from '../errors.ts';

const serverOptions: ServerOptions = {
  // A layer may take hours on a slow link; Node would cut it after five minutes.
  requestTimeout: 0,
  headersTimeout: 60_000,
  // Longer than clients keep a connection, which then never find it closed under a request.
  keepAliveTimeout: 120_000,
  noDelay: true,
};

/** A port chosen by the system may be taken on the other address. */
const maxTries = 10;

/** Servers of one port, on all loopback addresses that this machine has. */
export interface Listening {
  readonly port: number;
  /** Serves from here on. */
  serve(handler: RequestListener): void;
  /** Ends when nobody is connected any more. @param signal Cuts those who are. */
  close(signal: AbortSignal): Promise<void>;
}

/**
 * Listens on 127.0.0.1, and on ::1 where there is one: whoever had the other address of `localhost`
 * would get what is meant for us.
 *
 * @param port 0 for one that is free.
 * @throws {InputError} if the port is taken.
 */
export async function listenOnLoopback(port: number): Promise<Listening> {
  for (let tries = 1; ; tries++) {
    const first = createServer(serverOptions);
    await listen(first, port, '127.0.0.1');
    const actual = portOf(first);
    const second = createServer(serverOptions);
    try {
      await listen(second, actual, '::1');
      return listening([first, second], actual);
    } catch (error) {
      if (isAbsent(error)) return listening([first], actual);
      first.close();
      if (port !== 0 || tries === maxTries) throw error;
    }
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    server.listen({ port, host, exclusive: true, ipv6Only: host === '::1' });
    await once(server, 'listening');
  } catch (cause) {
    if (isAbsent(cause)) throw cause;
    throw new InputError(
      `Cannot listen on ${host}, port ${port}: ${codeOf(cause)}; want a port that is free, and --port 0 finds one`,
      { cause },
    );
  }
}

/** A machine, or a container, without IPv6. */
function isAbsent(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function listening(servers: readonly Server[], port: number): Listening {
  return {
    port,
    serve: (handler) => {
      for (const server of servers) server.on('request', handler);
    },
    close: async (signal) => {
      const cut = (): void => servers.forEach((server) => server.closeAllConnections());
      signal.addEventListener('abort', cut, { once: true });
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) {
        server.close();
        server.closeIdleConnections();
      }
      await Promise.all(closed);
      signal.removeEventListener('abort', cut);
    },
  };
}
