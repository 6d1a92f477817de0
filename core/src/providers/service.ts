import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import type { Registry } from '../resource/index.ts';
import { bothNamed } from './host.ts';
import { look } from './look.ts';
import { asTheSpecSays, byNodePort, nodePortOfIpv6, noNameForNodes } from './node-pulling.ts';
import { unresolved } from './provider.ts';
import type { NodePulling, Provider } from './provider.ts';

/** As much of a Service as says where it answers. */
export interface Service extends KubernetesObject {
  spec?: {
    type?: string;
    /** `None` for a headless one. */
    clusterIP?: string;
    ipFamilies?: readonly string[];
    ports?: readonly ServicePort[];
  };
}

interface ServicePort {
  port: number;
  nodePort?: number;
  targetPort?: number | string;
  name?: string;
}

/** `spec.indirect`: a registry behind a Service of this cluster. */
export const service: Provider = {
  name: 'service',
  summary: 'any registry behind a Service of the cluster (--service)',
  wantsEndpoint: true,
  resolve: async (registry, kubernetes) => {
    const { spec, metadata } = registry;
    if (spec.indirect === undefined) {
      throw unresolved(
        registry,
        'NothingToResolve',
        'the provider "service" wants indirect.service',
      );
    }
    if (spec.direct !== undefined) throw unresolved(registry, 'AmbiguousRegistry', bothNamed);
    const { service: name, namespace = metadata.namespace, port } = spec.indirect;
    const place = { type: resourceTypes.Service, name, namespace };
    const found = await look<Service>(kubernetes, place);
    if (found === undefined) {
      throw unresolved(registry, 'ServiceNotFound', `there is no Service ${namespace}/${name}`);
    }
    const seen = found === 'hidden' ? undefined : found;
    const pushPort = seen === undefined ? port : portOf(seen, port, registry);
    const pushHost = serviceHost(name, namespace, pushPort);
    return {
      provider: 'service',
      pushHost,
      ...pullingOf(registry, pushHost, seen && { found: seen, port }),
      insecure: spec.insecure === true,
      note: seen === undefined ? unseen(`Service ${namespace}/${name}`) : undefined,
    };
  },
};

/** Said of what was not looked at. */
export function unseen(what: string): string {
  return `${what} was not looked at: the operator may not; its name is taken on trust`;
}

/** The name by which Pods of every namespace reach a Service: `NAME.NAMESPACE.svc:PORT`. */
export function serviceHost(name: string, namespace: string, port: number): string {
  return `${name}.${namespace}.svc:${port}`;
}

/** `localhost:NODEPORT` of a NodePort Service: runtimes take localhost as plain HTTP or unverified TLS. */
export function nodeHostOf(found: Service, port: number): string | undefined {
  const nodePort = found.spec?.ports?.find((each) => each.port === port)?.nodePort;
  return nodePort === undefined ? undefined : `localhost:${nodePort}`;
}

/** How nodes pull from a registry behind a Service. @param seen Unless it was hidden from us. */
export function pullingOf(
  { spec }: Registry,
  pushHost: string,
  seen: { readonly found: Service; readonly port: number } | undefined,
  step = 'give the Service a node port (type: NodePort)',
): { readonly pullHost: string | undefined; readonly nodes: NodePulling } {
  if (spec.pullHost !== undefined) {
    return { pullHost: spec.pullHost, nodes: asTheSpecSays(spec.pullHost) };
  }
  const pullHost = seen && nodeHostOf(seen.found, seen.port);
  if (pullHost === undefined) return { pullHost, nodes: noNameForNodes(pushHost, step) };
  const { ipFamilies } = seen?.found.spec ?? {};
  const isIpv6Only = ipFamilies !== undefined && !ipFamilies.includes('IPv4');
  return { pullHost, nodes: isIpv6Only ? nodePortOfIpv6(pullHost) : byNodePort(pullHost) };
}

/** The port by which Pods reach a Service: the name of a headless one leads straight to its Pods. */
export function portOf(found: Service, port: number, registry: Registry): number {
  const { type, clusterIP, ports = [] } = found.spec ?? {};
  if (type === 'ExternalName') return port;
  const { namespace = '', name } = found.metadata;
  const served = ports.find((each) => each.port === port);
  if (served === undefined) {
    const numbers = ports.map((each) => each.port).join(' or ') || 'a Service with ports';
    const state = `Service ${namespace}/${name} has no port ${port}; want ${numbers}`;
    throw unresolved(registry, 'PortNotServed', state);
  }
  if (clusterIP !== 'None') return port;
  const { targetPort = port } = served;
  if (typeof targetPort === 'number') return targetPort;
  const state = `Service ${namespace}/${name} is headless, so that its name leads to its Pods, and port ${port} leads to their port "${targetPort}"; want a number there, or a Service with a cluster IP`;
  throw unresolved(registry, 'PortNotServed', state);
}
