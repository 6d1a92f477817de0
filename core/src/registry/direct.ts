import { Connections } from '../http/connections.ts';
import type { Proxies } from '../http/proxies.ts';
import type { Log } from '../log.ts';
import { version } from '../version.ts';
import { authenticated } from './authenticated.ts';
import type { CredentialSource } from './credentials.ts';
import { exchangeOver } from './exchange.ts';
import { originForm } from './location.ts';
import { parseOrigin } from './origin.ts';
import { followingRedirects } from './redirects.ts';
import type { Transport } from './transport.ts';
import { trusting } from './trust.ts';

/** A registry that can be reached from here, and how. */
export interface DirectOptions {
  /** `host[:port]` */
  readonly host: string;
  /** Plain HTTP, login included. Only ever because a person wrote it. */
  readonly insecure?: boolean;
  /** PEM; trusted besides what this machine trusts. */
  readonly ca?: string;
  readonly credentials?: CredentialSource;
  readonly userAgent?: string;
  readonly proxies?: Proxies;
  readonly log?: Log;
}

/** A transport with connections of its own. */
export type ClosableTransport = Transport & { close(): Promise<void> };

/**
 * Reaches a registry straight from here: HTTPS unless `insecure`, with the login, and with blobs
 * fetched from wherever the registry stores them. Locations are answered in origin form.
 *
 * @throws {InputError} if the host or the CA is not one.
 */
export function directTransport(options: DirectOptions): ClosableTransport {
  const { host, ca, credentials, log, proxies } = options;
  const registry = parseOrigin(host, options.insecure ?? false);
  const secureContext = ca === undefined ? undefined : trusting(ca);
  const connections = new Connections({ secureContext, proxies });
  const agent = options.userAgent ?? `reposure/${version}`;
  const exchange = exchangeOver(connections, agent);
  const login = authenticated((request) => exchange(registry.url, request), {
    registry,
    credentials,
    exchange,
    log,
  });
  const request = withOriginForms(followingRedirects(login, exchange, registry));
  return Object.assign(request, { close: () => connections.close() });
}

function withOriginForms(request: Transport): Transport {
  return async (asked) => {
    const response = await request(asked);
    const { location } = response.headers;
    if (location === undefined) return response;
    const reduced = originForm(location, asked.path) ?? location;
    return { ...response, headers: { ...response.headers, location: reduced } };
  };
}
