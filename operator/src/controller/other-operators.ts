import type { Log } from '@reposure/core';
import { resourceTypes, watchAll } from '@reposure/core/kubernetes';
import type { ApiObject, KubernetesClient } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

import { partsOf } from './registry-key.ts';
import type { RegistryKey } from './registry-key.ts';

/** Where to look for other operators. */
export interface OtherOperatorsOptions {
  readonly kubernetes: KubernetesClient;
  /** The operator's own namespace. */
  readonly namespace: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** A Registry whose operator is gone. */
  readonly onFreed: (key: RegistryKey) => void;
}

/**
 * The namespaces that have an operator of their own, which one that serves all namespaces leaves
 * alone: whoever finds a Deployment `reposure-operator` there knows whose the Registries are.
 *
 * The Deployment and not the Lease: it is there before its Pod starts to work, and goes when the
 * operator is uninstalled, while a Pod that is still ending may make its Lease anew.
 */
export class OtherOperators {
  readonly #namespaces = new Set<string>();
  readonly #left = new Map<string, Set<RegistryKey>>();

  /** Whether a Registry is somebody else's; if so, it is told of when that one is gone. */
  leave(key: RegistryKey): boolean {
    const { namespace } = partsOf(key);
    if (!this.#namespaces.has(namespace)) return false;
    const left = this.#left.get(namespace) ?? new Set();
    this.#left.set(namespace, left.add(key));
    return true;
  }

  /** Follows the Deployments until the signal. @param onSynced Told when all that are there are known. */
  async follow(options: OtherOperatorsOptions, onSynced: () => void): Promise<void> {
    const { kubernetes, log, signal } = options;
    const fieldSelector = `metadata.name=${names.operator}`;
    const { Deployment } = resourceTypes;
    for await (const event of watchAll(kubernetes, Deployment, { fieldSelector, log, signal })) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'SYNC') {
        this.#replace(event.items.map(namespaceOf), options);
        onSynced();
      } else if (event.type === 'DELETED') this.#free(namespaceOf(event.object), options);
      else this.#occupy(namespaceOf(event.object), options);
    }
  }

  #replace(namespaces: readonly string[], options: OtherOperatorsOptions): void {
    const gone = this.#namespaces.difference(new Set(namespaces));
    for (const namespace of gone) this.#free(namespace, options);
    for (const namespace of namespaces) this.#occupy(namespace, options);
  }

  #occupy(namespace: string, { namespace: own, log }: OtherOperatorsOptions): void {
    if (namespace === own || this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    log.info(`Namespace ${namespace} has an operator of its own: its Registries are left to it`);
  }

  #free(namespace: string, { log, onFreed }: OtherOperatorsOptions): void {
    if (!this.#namespaces.delete(namespace)) return;
    log.info(`Namespace ${namespace} has no operator of its own any more`);
    for (const key of this.#left.get(namespace) ?? []) onFreed(key);
    this.#left.delete(namespace);
  }
}

function namespaceOf({ metadata }: ApiObject): string {
  return metadata.namespace ?? '';
}
