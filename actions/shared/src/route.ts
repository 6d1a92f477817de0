import { NotFoundError } from '@reposure/core';
import { openOwnCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import type { Route, RouteChoice } from '@reposure/core/surrogate';

import type { Step } from './step.ts';

/** What a step's inputs say of the way in to a registry. */
export interface RouteWay {
  readonly registry: string;
  readonly namespace?: string | undefined;
  readonly route: RouteChoice;
}

/** Works on the way in to the Registry that the inputs name, and closes it afterwards. */
export async function withRoute<T>(
  inputs: RouteWay,
  cluster: KubernetesClient,
  { access, log, signal }: Pick<Step, 'log' | 'signal'> & { readonly access: 'read' | 'write' },
  work: (route: Route, registry: Registry) => Promise<T>,
): Promise<T> {
  const registry = await registryOf(inputs, cluster, signal);
  const route = await openRoute({
    kubernetes: cluster,
    ownCluster: openOwnCluster,
    registry,
    route: inputs.route,
    access,
    log,
    signal,
  });
  try {
    return await work(route, registry);
  } finally {
    await route.close();
  }
}

/** The Registry that the inputs name. @throws {NotFoundError} that says which inputs name it. */
async function registryOf(
  { registry: name, namespace }: Pick<RouteWay, 'namespace' | 'registry'>,
  cluster: KubernetesClient,
  signal: AbortSignal,
): Promise<Registry> {
  const where = namespace ?? cluster.namespace;
  const registry = await cluster.find<Registry>(resourceTypes.Registry, name, where, signal);
  if (registry) return registry;
  throw new NotFoundError(
    `Cannot find registry "${name}" in namespace "${where}" at ${cluster.server}; the inputs "registry", "namespace" and "context" name it, actions/setup makes one`,
  );
}
