import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Registry, RegistrySpec } from '../resource/index.ts';
import { host } from './host.ts';
import { describeRegistry, ResolutionError } from './provider.ts';
import type { Provider, Resolved } from './provider.ts';
import { service } from './service.ts';
import { simple } from './simple.ts';

const providers: ReadonlyMap<string, Provider> = new Map(
  [simple, host, service].map((provider) => [provider.name, provider]),
);

/** The names that `spec.provider` may have. */
export const providerNames: readonly string[] = [...providers.keys()];

/**
 * Finds the registry that a Registry names.
 *
 * @throws {ResolutionError} with the reason for its condition `Resolved`.
 */
export async function resolveProvider(
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Resolved> {
  const name = nameOf(registry.spec);
  if (name === undefined) {
    throw new ResolutionError(
      'NothingToResolve',
      `Cannot resolve ${describeRegistry(registry)}: it names no registry; want direct.host, indirect.service or provider: simple`,
    );
  }
  const provider = providers.get(name);
  if (provider === undefined) {
    throw new ResolutionError(
      'UnknownProvider',
      `Cannot resolve ${describeRegistry(registry)}: there is no provider "${name}"; want one of ${providerNames.join(', ')}`,
    );
  }
  return provider.resolve(registry, kubernetes);
}

function nameOf(spec: RegistrySpec): string | undefined {
  if (spec.provider !== undefined) return spec.provider;
  if (spec.direct !== undefined) return host.name;
  return spec.indirect === undefined ? undefined : service.name;
}
