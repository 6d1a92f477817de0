import type { NodePulling } from './provider.ts';

/** A name that was written into the spec: whoever wrote it knows the nodes, we do not. */
export function asTheSpecSays(pullHost: string): NodePulling {
  return {
    status: 'Unknown',
    reason: 'AsTheSpecSays',
    message: `spec.pullHost says ${pullHost}; no node was asked; ${trial(pullHost)}`,
  };
}

/** A name that the cluster's own makers taught its nodes. */
export function configuredByCluster(pullHost: string, how: string): NodePulling {
  return {
    status: 'True',
    reason: 'ConfiguredByCluster',
    message: `Nodes pull from ${pullHost}: ${how}`,
  };
}

/** A registry of the outside world: public trust, or an administrator's work. */
export function nodesNotAsked(pullHost: string): NodePulling {
  return {
    status: 'Unknown',
    reason: 'NodesNotAsked',
    message: `Nodes pull from ${pullHost} if they resolve that name, trust its certificate and have a login; no node was asked; ${trial(pullHost)}`,
  };
}

/** A port of every node: runtimes take localhost as plain HTTP, or as TLS that is not verified. */
export function byNodePort(pullHost: string): NodePulling {
  return {
    status: 'True',
    reason: 'NodePort',
    message: `Nodes pull from ${pullHost}, a port of each of them (but not where kube-proxy runs in nftables mode)`,
  };
}

/** kube-proxy serves no node port on `::1`. */
export function nodePortOfIpv6(pullHost: string): NodePulling {
  return {
    status: 'False',
    reason: 'Ipv6NodePort',
    message: `Nodes cannot pull from ${pullHost}: the Service has IPv6 only, and no node port answers on ::1; teach the nodes another name and write it into spec.pullHost`,
  };
}

/** Only Pods resolve the names of Services. */
export function noNameForNodes(pushHost: string, step: string): NodePulling {
  return {
    status: 'False',
    reason: 'NoNameForNodes',
    message: `Nodes resolve no names of Services such as ${pushHost}; ${step}, or teach the nodes a name and write it into spec.pullHost`,
  };
}

function trial(pullHost: string): string {
  return `to try: kubectl run trial --image=${pullHost}/NAME:TAG`;
}
