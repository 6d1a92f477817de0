import { createSecureContext } from 'node:tls';

import { UnsupportedError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { proxiesIn } from '../http/proxies.ts';
import type { Access } from './access.ts';
import type { TlsMaterial } from './credentials.ts';
import { fingerprintOf, trustedBy } from './tls-material.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The connections that requests to Services take: what passes there is large, and Node's own way is slow. */
export class ServiceConnections {
  readonly #access: Access;
  readonly #env: Env;
  readonly #retired = new Set<Connections>();
  #current: { readonly connections: Connections; readonly fingerprint: string } | undefined;

  constructor(access: Access, env: Env) {
    this.#access = access;
    this.#env = env;
  }

  /**
   * Certificates that were rotated make new ones.
   *
   * @throws {UnsupportedError} behind a SOCKS proxy.
   */
  connectionsFor(tls: TlsMaterial): Connections {
    const fingerprint = fingerprintOf(tls);
    if (this.#current?.fingerprint === fingerprint) return this.#current.connections;
    const connections = this.#make(tls);
    if (this.#current) this.#retired.add(this.#current.connections);
    this.#current = { connections, fingerprint };
    return connections;
  }

  close(): void {
    for (const connections of this.#retired) void connections.close();
    void this.#current?.connections.close();
    this.#retired.clear();
    this.#current = undefined;
  }

  #make(tls: TlsMaterial): Connections {
    const { cluster, server } = this.#access;
    const proxyUrl = cluster['proxy-url'];
    if (proxyUrl?.startsWith('socks')) {
      throw new UnsupportedError(
        `Cannot reach Services at ${server}: behind a SOCKS proxy there is no way to them; want the route "exec"`,
      );
    }
    const { cert, key } = tls;
    const identity = { ...(cert && { cert }), ...(key && { key }) };
    return new Connections({
      ...(server.startsWith('https:') && {
        secureContext: createSecureContext({ ca: trustedBy(tls), ...identity }),
      }),
      servername: cluster['tls-server-name'] || undefined,
      isUnverified: cluster['insecure-skip-tls-verify'],
      proxies: proxyUrl ? { http: proxyUrl, https: proxyUrl } : proxiesIn(this.#env),
    });
  }
}
