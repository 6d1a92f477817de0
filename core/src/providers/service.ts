import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { describeRegistry, ResolutionError } from './provider.ts';
import type { Provider } from './provider.ts';

/** As much of a Service as says where it answers. */
export interface Service extends KubernetesObject {
  spec?: {
    type?: string;
    ports?: readonly { port: number; nodePort?: number; name?: string }[];
  };
}

/** `spec.indirect`: a registry behind a Service of this cluster. */
export const service: Provider = {
  name: 'service',
  resolve: async (registry, kubernetes) => {
    const { spec, metadata } = registry;
    if (spec.indirect === undefined) {
      throw new ResolutionError(
        'NothingToResolve',
        `Cannot resolve ${describeRegistry(registry)}: the provider "service" wants indirect.service`,
      );
    }
    const { service: name, namespace = metadata.namespace, port } = spec.indirect;
    const found = await findService(kubernetes, name, namespace);
    if (found === undefined) {
      throw new ResolutionError(
        'ServiceNotFound',
        `Cannot resolve ${describeRegistry(registry)}: there is no Service ${namespace}/${name}`,
      );
    }
    if (found !== 'hidden') requirePort(found, port, describeRegistry(registry));
    return {
      provider: 'service',
      pushHost: serviceHost(name, namespace, port),
      pullHost: spec.pullHost ?? (found === 'hidden' ? undefined : nodeHostOf(found, port)),
      insecure: spec.insecure === true,
    };
  },
};

/** The name by which Pods of every namespace reach a Service: `NAME.NAMESPACE.svc:PORT`. */
export function serviceHost(name: string, namespace: string, port: number): string {
  return `${name}.${namespace}.svc:${port}`;
}

/** `localhost:NODEPORT` of a NodePort Service: runtimes take localhost as plain HTTP or unverified TLS. */
export function nodeHostOf(found: Service, port: number): string | undefined {
  const nodePort = found.spec?.ports?.find((each) => each.port === port)?.nodePort;
  return nodePort === undefined ? undefined : `localhost:${nodePort}`;
}

/**
 * Looks a Service up.
 *
 * @returns `hidden` where we may not look: the operator has rights in its own namespace only, and
 * the Service's name is all that is needed to reach it.
 */
async function findService(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<Service | 'hidden' | undefined> {
  try {
    return await kubernetes.find<Service>(resourceTypes.Service, name, namespace);
  } catch (error) {
    if (error instanceof KubernetesError && error.isForbidden) return 'hidden';
    throw error;
  }
}

function requirePort(found: Service, port: number, registry: string): void {
  const ports = found.spec?.ports?.map((each) => each.port) ?? [];
  if (found.spec?.type === 'ExternalName' || ports.includes(port)) return;
  const { namespace, name } = found.metadata;
  throw new ResolutionError(
    'PortNotServed',
    `Cannot resolve ${registry}: Service ${namespace}/${name} has no port ${port}; want ${ports.join(' or ') || 'a Service with ports'}`,
  );
}
