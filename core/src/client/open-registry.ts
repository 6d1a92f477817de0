import { getRegistry, openOwnCluster } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { openRoute } from '../surrogate/open-route.ts';
import type { OpenRouteOptions, RouteChoice } from '../surrogate/open-route.ts';
import { OpenedRegistry } from './opened-registry.ts';

/** How {@link openRegistry} finds the way in. */
export interface OpenRegistryOptions extends Pick<
  OpenRouteOptions,
  'access' | 'own' | 'signal' | 'log'
> {
  /** Of the Registry; the kubeconfig context's own by default. */
  readonly namespace?: string | undefined;
  /** `auto` by default: the first way that works. */
  readonly route?: RouteChoice | undefined;
}

/**
 * Opens the registry that a `Registry` resource stands for, whichever way there is. Whoever opens it
 * closes it.
 *
 * ```js
 * const cluster = await openCluster({ kubeconfig: process.env.KUBECONFIG });
 * const registry = await openRegistry(cluster, 'default');
 * const { digest } = await registry.push('app.tar', 'team/app:1.2.3');
 * ```
 *
 * @param name Of the Registry.
 * @throws {NotFoundError} if there is no such Registry.
 * @throws {UnreachableError} if the operator could not resolve it.
 */
export async function openRegistry(
  kubernetes: KubernetesClient,
  name: string,
  options: OpenRegistryOptions = {},
): Promise<OpenedRegistry> {
  const { namespace = kubernetes.namespace, route = 'auto', signal, log } = options;
  const resource = await getRegistry(kubernetes, { name, namespace, signal });
  const opened = await openRoute({
    ...options,
    kubernetes,
    ownCluster: openOwnCluster,
    registry: resource,
    route,
  });
  return new OpenedRegistry(resource, opened, log);
}
