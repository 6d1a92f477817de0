import type { Registry } from '../resource/index.ts';
import { speaksPlainHttp } from '../resource/index.ts';
import { hostingOf, hostingPlace } from './local-registry.ts';
import type { HostingConfigMap, LocalRegistryHosting } from './local-registry.ts';
import { describePlace, grantFor, look, sightingOf } from './look.ts';
import { asTheSpecSays, configuredByCluster } from './node-pulling.ts';
import { refuseEndpoint, unresolved } from './provider.ts';
import type { Provider, ResolutionError } from './provider.ts';

const what = describePlace(hostingPlace);

/** Any cluster that says by KEP-1755 which registry it comes with. */
export const localRegistry = kep1755({
  name: 'local-registry',
  summary: `what the ConfigMap kube-public/local-registry-hosting names (KEP-1755); plain HTTP`,
});

/**
 * kind with its registry script, which writes only the host of the person at the machine: for Pods
 * it is the container that the script makes.
 *
 * @see https://kind.sigs.k8s.io/docs/user/local-registry/
 */
export const kind = kep1755({
  name: 'kind',
  summary: "kind with its local registry (the documentation's script); plain HTTP",
  pushHost: 'kind-registry:5000',
});

/** k3d with `--registry-create` or `--registry-use`; the ConfigMap names the first registry only. */
export const k3d = kep1755({
  name: 'k3d',
  summary: 'k3d with --registry-create or --registry-use; plain HTTP',
});

interface Kind {
  readonly name: string;
  readonly summary: string;
  /** How Pods reach it where the ConfigMap does not say. */
  readonly pushHost?: string;
}

function kep1755({ name, summary, pushHost }: Kind): Provider {
  return {
    name,
    summary,
    resolve: async (registry, kubernetes) => {
      refuseEndpoint(registry);
      const found = await look<HostingConfigMap>(kubernetes, hostingPlace);
      if (found === 'hidden' || found === undefined) throw unseenBy(registry, found);
      const hosting = hostingOf(found, registry);
      const { spec } = registry;
      const pullHost = hosting.hostFromContainerRuntime ?? hosting.host;
      return {
        provider: name,
        pushHost: pushHostOf(hosting, registry, pushHost),
        pullHost: spec.pullHost ?? pullHost,
        insecure: speaksPlainHttp(spec, name),
        nodes: spec.pullHost
          ? asTheSpecSays(spec.pullHost)
          : configuredByCluster(pullHost ?? '', `${what} says so`),
      };
    },
    // One of them looks for all: it is one ConfigMap.
    ...(name === 'local-registry'
      ? { sight: async (_, kubernetes) => sightingOf(kubernetes, hostingPlace) }
      : {}),
  };
}

/** kind's own ConfigMap is told by its page; the container's name is that of the script there. */
function pushHostOf(
  { hostFromClusterNetwork, hostFromContainerRuntime, host, help = '' }: LocalRegistryHosting,
  registry: Registry,
  otherwise: string | undefined,
): string {
  const isKinds = /^https?:\/\/kind\.sigs\.k8s\.io\//.test(help);
  const found = hostFromClusterNetwork ?? otherwise ?? (isKinds ? 'kind-registry:5000' : undefined);
  if (found !== undefined) return found;
  throw unresolved(
    registry,
    'SpecInvalid',
    `${what} says how people (${host ?? '?'}) and nodes (${hostFromContainerRuntime ?? host ?? '?'}) reach the registry, and not how Pods do; add hostFromClusterNetwork to it, or name the registry by direct.host`,
  );
}

function unseenBy(registry: Registry, found: 'hidden' | undefined): ResolutionError {
  if (found === undefined) {
    const state = `there is no ${what}; want a cluster that comes with a registry (kind with its registry script, k3d --registry-create, …)`;
    return unresolved(registry, 'ServiceNotFound', state);
  }
  const grant = grantFor(hostingPlace, registry.metadata.namespace);
  const state = `the operator may not read ${what}; let it: ${grant}`;
  return unresolved(registry, 'NotPermitted', state);
}
