import { MemoryCluster } from '../../../../test/support/memory-cluster.ts';
import type { KubernetesObject } from '../../kubernetes/index.ts';
import { RegistrySpec } from '../../resource/index.ts';
import type { Registry } from '../../resource/index.ts';
import type { Resolved } from '../provider.ts';
import { resolveProvider } from '../resolve.ts';

/** The Registry `ci/default`. */
export function registryOf(spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: RegistrySpec.parse(spec),
  };
}

/** Resolves a spec in a cluster that has these objects. */
export async function resolving(
  spec: object,
  ...objects: readonly KubernetesObject[]
): Promise<Resolved> {
  return resolveProvider(registryOf(spec), new MemoryCluster(...objects));
}

/** The same where the operator may look at nothing of these kinds. */
export async function resolvingBlindly(
  spec: object,
  ...kinds: readonly string[]
): Promise<Resolved> {
  const cluster = new MemoryCluster();
  for (const kind of kinds) cluster.forbidden.add(kind);
  return resolveProvider(registryOf(spec), cluster);
}
