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
}

/** Knows one kind of registry: how to find it, and how it is spoken to. */
export interface Provider {
  readonly name: string;
  /** @throws {ResolutionError} if there is no such registry (now). */
  resolve(registry: Registry, kubernetes: KubernetesClient): Promise<Resolved>;
}

/** Why a registry was not found; the `reason` of the condition `Resolved`. */
export type ResolutionReason =
  | 'AmbiguousRegistry'
  | 'HostInvalid'
  | 'NameInvalid'
  | 'NothingToResolve'
  | 'PortNotServed'
  | 'ServiceNotFound'
  | 'UnknownProvider';

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

/** `ci/default`, for messages. */
export function describeRegistry(registry: Registry): string {
  return `Registry ${registry.metadata.namespace}/${registry.metadata.name}`;
}
