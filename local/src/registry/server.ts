import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { InputError } from '@reposure/core';

import { serving } from './handler.ts';
import type { EmbeddedRegistryOptions } from './options.ts';
import { openStore } from './store/store.ts';

/** How the embedded registry behaves, and where it listens. */
export interface StartRegistryOptions extends EmbeddedRegistryOptions {
  /** By default `127.0.0.1`; empty for every interface. */
  readonly host?: string | undefined;
  /** 0, the default, for any that is free. */
  readonly port?: number | undefined;
}

/** A registry that listens. */
export interface RunningRegistry {
  /** `host:port`, as it is written in a reference. */
  readonly host: string;
  readonly port: number;
  /** Cuts all connections, and ends when nothing works on the directory any more. */
  close(): Promise<void>;
}

/** Distribution's own: uploads that nobody has touched for a week. */
const staleUploadMs = 7 * 24 * 3600 * 1000;

const serverOptions: ServerOptions = {
  // A layer may take hours on a slow link; Node would cut it after five minutes.
  requestTimeout: 0,
  headersTimeout: 60_000,
  // Longer than clients keep a connection, which then never find it closed under a request.
  keepAliveTimeout: 120_000,
  // Finds out about clients that are gone without having said so.
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
  noDelay: true,
};

/**
 * Starts the registry.
 *
 * @throws {InputError} if the htpasswd file or the certificate is not usable.
 * @throws {Error} of Node's if the address is taken.
 */
export async function startRegistry(options: StartRegistryOptions): Promise<RunningRegistry> {
  await checkReadable(options.htpasswdFile);
  const store = openStore(options.directory, options.maxBytes);
  if (!options.readOnly) await store.uploads.removeOlderThan(staleUploadMs);
  const serve = serving(options, store);
  const active = new Set<Promise<void>>();
  const server = serverFor(options, (request, response) => {
    const work = serve(request, response).finally(() => active.delete(work));
    active.add(work);
  });
  const { host = '127.0.0.1', port = 0 } = options;
  const actual = await listen(server, host, port);
  return {
    host: `${hostNameOf(host)}:${actual}`,
    port: actual,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await Promise.all([closed, ...active]);
    },
  };
}

function serverFor({ tls }: EmbeddedRegistryOptions, listener: RequestListener): Server {
  if (!tls) return createServer(serverOptions, listener);
  try {
    return createTlsServer({ ...serverOptions, ...tls, minVersion: 'TLSv1.2' }, listener);
  } catch (cause) {
    const message =
      'Cannot start the registry: its certificate and key are no PEM that belongs together';
    throw new InputError(message, { cause });
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host || undefined, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** A name that a client on this machine can use. */
function hostNameOf(host: string): string {
  if (['', '0.0.0.0', '::'].includes(host)) return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

async function checkReadable(htpasswdFile: string | undefined): Promise<void> {
  if (htpasswdFile === undefined) return;
  try {
    await readFile(htpasswdFile);
  } catch (cause) {
    const message = `Cannot start the registry: ${htpasswdFile} cannot be read; want lines user:bcrypt`;
    throw new InputError(message, { cause });
  }
}
