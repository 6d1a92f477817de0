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
  const generations = new Map<string, number>();
  const touch = (object: ApiObject, isGone: boolean): void => {
    const key = ownerOf(object);
    if (key === undefined || (!isGone && isStatusOnly(object, generations))) return;
    if (isGone) generations.delete(object.metadata.uid ?? '');
    applied.touch(key);
    queue.add(key);
  };
  await Promise.all([
    follow(resourceTypes.Registry, options, want, onSynced),
    // What was deleted before a list is not in it.
    ...owned.map((type) =>
      follow(type, { ...options, labelSelector: registryLabel }, touch, () => applied.touchAll()),
    ),
  ]);
}

function ownerOf({ metadata: { namespace = '', labels } }: ApiObject): RegistryKey | undefined {
  const name = labels?.[registryLabel];
  return name === undefined ? undefined : keyOf(namespace, name);
}

/**
 * Whether nothing that counts has changed. What a StatefulSet's controller counts is of no
 * interest: the Pod has its own events.
 */
function isStatusOnly({ kind, metadata }: ApiObject, seen: Map<string, number>): boolean {
  const { uid = '', generation = 0 } = metadata;
  if (kind !== resourceTypes.StatefulSet.kind) return false;
  if (seen.get(uid) === generation) return true;
  seen.set(uid, generation);
  return false;
}

async function follow(
  type: ResourceType,
  options: WatchOptions & { readonly labelSelector?: string },
  tell: (object: ApiObject, isGone: boolean) => void,
  onSynced: () => void = () => {},
): Promise<void> {
  const { kubernetes, namespace, labelSelector, log, signal } = options;
  for await (const event of watchAll(kubernetes, type, { namespace, labelSelector, signal, log })) {
    if (event.type === 'BOOKMARK') continue;
    if (event.type === 'SYNC') {
      for (const object of event.items) tell(object, false);
      onSynced();
    } else {
      tell(event.object, event.type === 'DELETED');
    }
  }
}
