import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Registry, RegistrySpec } from '../resource/index.ts';
import { findRegistry } from './auto.ts';
import type { Found } from './auto.ts';
import { requireHost, host } from './host.ts';
import { hostedKinds } from './hosted.ts';
import { k3d, kind, localRegistry } from './kep1755.ts';
import { locatedProvider } from './located.ts';
import { microk8s } from './microk8s.ts';
import { minikube } from './minikube.ts';
import { openshift } from './openshift.ts';
import { unresolved } from './provider.ts';
import type { Provider, Resolved } from './provider.ts';
import { service } from './service.ts';
import { simple } from './simple.ts';

/** Finds what the cluster has. */
const auto: Provider = {
  name: 'auto',
  summary: 'the only one of the above that the cluster has',
  resolve: async (registry, kubernetes) => {
    const { resolved, why } = await findProvider(registry, kubernetes);
    const note = [`auto ${why}`, resolved.note].filter(Boolean).join('; ');
    return { ...resolved, note };
  },
};

/** Every provider, in the order in which they are told of. */
export const providers: readonly Provider[] = [
  simple,
  minikube,
  microk8s,
  openshift,
  kind,
  k3d,
  localRegistry,
  auto,
  ...hostedKinds.map(locatedProvider),
  host,
  service,
];

const byName: ReadonlyMap<string, Provider> = new Map(
  providers.map((provider) => [provider.name, provider]),
);

/** The names that `spec.provider` may have. */
export const providerNames: readonly string[] = providers.map(({ name }) => name);

/** Whether a provider wants to be told where its registry is. */
export function wantsEndpoint(name: string): boolean {
  return byName.get(name)?.wantsEndpoint === true;
}

/**
 * Looks which registry the cluster has.
 *
 * @throws {ResolutionError} if there is none, or more than one.
 */
export async function findProvider(
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Found> {
  const candidates = providers.filter(({ sight }) => sight !== undefined);
  return findRegistry(registry, kubernetes, candidates);
}

/**
 * Finds the registry that a Registry names.
 *
 * @throws {ResolutionError} with the reason for its condition `Resolved`.
 */
export async function resolveProvider(
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Resolved> {
  const { spec } = registry;
  const name = nameOf(spec);
  if (name === undefined) {
    throw unresolved(
      registry,
      'NothingToResolve',
      'it names no registry; want direct.host, indirect.service or a provider, such as simple or auto',
    );
  }
  const provider = byName.get(name);
  if (provider === undefined) {
    throw unresolved(
      registry,
      'UnknownProvider',
      `there is no provider "${name}"; want one of ${providerNames.join(', ')}`,
    );
  }
  if (spec.pullHost !== undefined) requireHost(registry, 'pullHost', spec.pullHost);
  return provider.resolve(registry, kubernetes);
}

function nameOf(spec: RegistrySpec): string | undefined {
  if (spec.provider !== undefined) return spec.provider;
  if (spec.direct !== undefined) return host.name;
  return spec.indirect === undefined ? undefined : service.name;
}
