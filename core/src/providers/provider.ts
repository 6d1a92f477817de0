import { ReposureError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Registry } from '../resource/index.ts';

/** Where a registry is and how it is spoken to, as its provider found it. */
export interface Resolved {
  /** The provider's name, for `status.provider`. */
  readonly provider: string;
  /** `host[:port]` by which Pods of the cluster push. */
  readonly pushHost: string;
  /** `host[:port]` by which nodes pull; `undefined` if it is not known. */
  readonly pullHost: string | undefined;
  /** Plain HTTP. */
  readonly insecure: boolean;
  /** Whether nodes can pull by `pullHost`, as far as that can be told without asking them. */
  readonly nodes: NodePulling;
  /** The registry is OpenShift's own: trusted by the service CA, logged in to by ServiceAccount. */
  readonly isOpenShift?: boolean;
  /** What a person should know of how it was found: one clause. */
  readonly note?: string | undefined;
  /** Which login it takes, for whoever is refused: one clause. */
  readonly loginAdvice?: string | undefined;
}

/** The condition `NodePullable`, but for its type. */
export interface NodePulling {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: NodePullingReason;
  /** Says what to do where it is not `True`. */
  readonly message: string;
}

/** Why nodes can pull, or cannot. */
export const nodePullingReasons = [
  'AsTheSpecSays',
  'ConfiguredByCluster',
  'Ipv6NodePort',
  'NoNameForNodes',
  'NodePort',
  'NodesNotAsked',
] as const;
type NodePullingReason = (typeof nodePullingReasons)[number];

/** Knows one kind of registry: how to find it, and how it is spoken to. */
export interface Provider {
  readonly name: string;
  /** What it is and how it is found, for the help and the documentation: a few words. */
  readonly summary: string;
  /** Whether it is told by `direct.host` or `indirect.service`, and not found by itself. */
  readonly wantsEndpoint?: boolean;
  /** @throws {ResolutionError} if there is no such registry (now). */
  resolve(registry: Registry, kubernetes: KubernetesClient): Promise<Resolved>;
  /** Looks whether the cluster has it, for `provider: auto`; without it, nobody looks. */
  readonly sight?: (registry: Registry, kubernetes: KubernetesClient) => Promise<Sighting>;
}

/** What a look for a registry found. */
export interface Sighting {
  /** `hidden` where we may not look. */
  readonly state: 'absent' | 'hidden' | 'there';
  /** What was looked for: `Service kube-system/registry`. */
  readonly what: string;
}

/** Why a registry was not found; the `reason` of the condition `Resolved`. */
export const resolutionReasons = [
  'AmbiguousRegistry',
  'HostInvalid',
  'NameInvalid',
  'NothingFound',
  'NothingToResolve',
  'NotPermitted',
  'PortNotServed',
  'ServiceNotFound',
  'SpecInvalid',
  'UnknownProvider',
] as const;
export type ResolutionReason = (typeof resolutionReasons)[number];

/** A Registry names nothing that is there. */
export class ResolutionError extends ReposureError {
  override readonly name = 'ResolutionError';
  readonly code = 'NOT_FOUND';
  readonly reason: ResolutionReason;

  constructor(reason: ResolutionReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** `Registry ci/default`, for messages. */
export function describeRegistry(registry: Registry): string {
  return `Registry ${registry.metadata.namespace}/${registry.metadata.name}`;
}

/** Gives up on a Registry. @param state What is wrong, and what is wanted. */
export function unresolved(
  registry: Registry,
  reason: ResolutionReason,
  state: string,
): ResolutionError {
  return new ResolutionError(reason, `Cannot resolve ${describeRegistry(registry)}: ${state}`);
}

/** Whoever names two registries means one of them, and nobody knows which. */
export function refuseEndpoint(registry: Registry): void {
  const { provider, direct, indirect } = registry.spec;
  const named = [direct && 'direct', indirect && 'indirect'].filter(Boolean).join(' and ');
  if (named === '') return;
  throw unresolved(
    registry,
    'AmbiguousRegistry',
    `it names two registries, provider: ${provider} and ${named}; want one of them`,
  );
}
