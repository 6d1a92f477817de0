import type { KubernetesClient } from '../kubernetes/client.ts';
import { scopesOf } from '../registry/scope.ts';
import type { RegistryRequest, Transport } from '../registry/transport.ts';
import type { Registry } from '../resource/registry.ts';
import { requireRepository } from '../resource/repository-form.ts';
import type { Route } from './route.ts';

/** What a route's registry is known by. */
export interface LimitedRouteOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
}

/**
 * Keeps a route to what its kind of registry can do: refuses names that it cannot have before
 * anything is sent, and asks the Kubernetes API for what OpenShift answers only there.
 */
export async function limitedRoute(route: Route, options: LimitedRouteOptions): Promise<Route> {
  const { registry } = options;
  const provider = registry.status?.provider ?? registry.spec.provider;
  if (provider === undefined) return route;
  const request = provider === 'openshift' ? await ofOpenShift(route, options) : route.request;
  return { ...route, request: named(request, registry), close: () => route.close() };
}

// Loaded only there.
async function ofOpenShift(route: Route, options: LimitedRouteOptions): Promise<Transport> {
  const { imageStreamTransport } = await import('./image-streams.ts');
  return imageStreamTransport(route.request, options);
}

function named(send: Transport, registry: Registry): Transport {
  return async (request) => {
    const { repository } = scopesOf(request);
    if (repository !== undefined) requireRepository(registry, repository, useOf(request));
    return send(request);
  };
}

function useOf({ method }: RegistryRequest): 'read' | 'write' {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write';
}
