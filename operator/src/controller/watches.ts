import type { Log } from '@reposure/core';
import { resourceTypes, watchAll } from '@reposure/core/kubernetes';
import type { ApiObject, KubernetesClient, ResourceType } from '@reposure/core/kubernetes';
import { registryLabel } from '@reposure/core/resource';

import type { AppliedObjects } from './applied-objects.ts';
import { keyOf } from './registry-key.ts';
import type { RegistryKey } from './registry-key.ts';
import type { WorkQueue } from './work-queue.ts';

/** What is watched, and for whom. */
export interface WatchOptions {
  readonly kubernetes: KubernetesClient;
  /** All of them without one. */
  readonly namespace: string | undefined;
  readonly queue: WorkQueue;
  readonly applied: AppliedObjects;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told when the first list of Registries is in the queue. */
  readonly onSynced: () => void;
}

/** Every kind that a Registry owns, but Secrets. */
const owned: readonly ResourceType[] = [
  resourceTypes.StatefulSet,
  resourceTypes.Pod,
  resourceTypes.Service,
  resourceTypes.ConfigMap,
  resourceTypes.ServiceAccount,
];

/**
 * Puts a Registry into the queue whenever it, or one of its surrogate's objects changes; until the
 * signal.
 *
 * Secrets are not watched: a watch is the right to read all of them. Those that Registries name are
 * read one by one, every half minute.
 */
export async function watchInto(options: WatchOptions): Promise<void> {
  const { queue, applied, onSynced } = options;
  const want = ({ metadata: { namespace = '', name } }: ApiObject): void =>
    queue.add(keyOf(namespace, name));
  const touch = (object: ApiObject): void => {
    const key = ownerOf(object);
    if (key === undefined) return;
    applied.touch(key);
    queue.add(key);
  };
  await Promise.all([
    follow(resourceTypes.Registry, options, want, onSynced),
    ...owned.map((type) => follow(type, { ...options, labelSelector: registryLabel }, touch)),
  ]);
}

function ownerOf({ metadata: { namespace = '', labels } }: ApiObject): RegistryKey | undefined {
  const name = labels?.[registryLabel];
  return name === undefined ? undefined : keyOf(namespace, name);
}

async function follow(
  type: ResourceType,
  options: WatchOptions & { readonly labelSelector?: string },
  tell: (object: ApiObject) => void,
  onSynced: () => void = () => {},
): Promise<void> {
  const { kubernetes, namespace, labelSelector, log, signal } = options;
  for await (const event of watchAll(kubernetes, type, { namespace, labelSelector, signal, log })) {
    if (event.type === 'BOOKMARK') continue;
    if (event.type === 'SYNC') {
      for (const object of event.items) tell(object);
      onSynced();
    } else {
      tell(event.object);
    }
  }
}
