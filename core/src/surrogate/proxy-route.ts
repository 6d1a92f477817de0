import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Registry } from '../resource/registry.ts';
import { ProxyKeys } from './proxy-keys.ts';
import { proxyTransport } from './proxy-transport.ts';
import type { Route } from './route.ts';

/** What a proxy route is opened with. */
export interface ProxyRouteOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  /** `write` by default. */
  readonly access?: 'read' | 'write' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly reason?: string;
}

/**
 * The way through the API server's proxy; reads the key, and sends nothing yet.
 *
 * @throws {NoKeyError} if the key may not be read, or is not there.
 */
export async function proxyRoute(options: ProxyRouteOptions): Promise<Route> {
  const { kubernetes, registry, access = 'write', signal, reason = 'asked for' } = options;
  const keys = new ProxyKeys({ kubernetes, registry, access });
  await keys.current(signal);
  const request = proxyTransport({ kubernetes, registry, access, keys });
  // The connections are the client's own.
  return { via: 'proxy', reason, request, close: async () => {} };
}
