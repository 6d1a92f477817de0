import { InputError, NotFoundError, TimeoutError } from '@reposure/core';
import {
  KubeconfigError,
  KubernetesError,
  openCluster,
  openOwnCluster,
  resourceTypes,
} from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import type { Route, RouteChoice } from '@reposure/core/surrogate';

import type { Step } from './step.ts';

/** What a step's inputs say of the cluster. */
export interface ClusterWay {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Milliseconds for all of the work. */
  readonly timeout: number;
}

/**
 * Works with the cluster that the inputs name, and closes it afterwards.
 *
 * @param work Gets a signal that is aborted by cancellation and when the time is over.
 * @throws {TimeoutError} if it takes longer than the inputs allow.
 */
export async function withCluster<T>(
  inputs: ClusterWay,
  { kubeconfig, log, signal: cancelled }: Pick<Step, 'kubeconfig' | 'log' | 'signal'>,
  work: (cluster: KubernetesClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(inputs.timeout);
  const { context } = inputs;
  let cluster: KubernetesClient | undefined;
  try {
    cluster = await openCluster({ kubeconfig, context, log });
    return await work(cluster, AbortSignal.any([cancelled, late]));
  } catch (cause) {
    cancelled.throwIfAborted();
    if (late.aborted) {
      throw new TimeoutError(
        `Cannot finish within ${inputs.timeout / 1000} s; the input "timeout" gives it longer`,
        { cause },
      );
    }
    throw underInput(cause);
  } finally {
    cluster?.close();
  }
}

/** Says by which input what is wrong with the way to the cluster can be mended. */
function underInput(cause: unknown): unknown {
  if (cause instanceof KubeconfigError) {
    return new InputError('Cannot use the input "kubeconfig" with the input "context"', { cause });
  }
  if (cause instanceof KubernetesError && cause.status === 401) {
    return new InputError(
      'Cannot log in to the cluster: it does not accept the login of the input "kubeconfig", which may have expired',
      { cause },
    );
  }
  return cause;
}

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
