import type { Log } from '@reposure/core';
import { resourceTypes, watchAll } from '@reposure/core/kubernetes';
import type { ApiObject, KubernetesClient, ResourceType } from '@reposure/core/kubernetes';
import { registryLabel } from '@reposure/core/resource';

import type { WorkQueue } from './work-queue.ts';

/** What is watched, and for whom. */
export interface WatchOptions {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  readonly queue: WorkQueue;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told when the first list of Registries is in the queue. */
  readonly onSynced: () => void;
}

/**
 * Puts a Registry into the queue whenever it, its StatefulSet or its Pod changes; until the signal.
 *
 * Secrets are not watched: a watch is the right to read all of them. Those that Registries name are
 * read one by one, every half minute.
 */
export async function watchInto(options: WatchOptions): Promise<void> {
  const labelSelector = registryLabel;
  await Promise.all([
    follow(resourceTypes.Registry, options, ({ metadata }) => metadata.name),
    follow(resourceTypes.StatefulSet, { ...options, labelSelector }, owner),
    follow(resourceTypes.Pod, { ...options, labelSelector }, owner),
  ]);
}

function owner({ metadata }: ApiObject): string | undefined {
  return metadata.labels?.[registryLabel];
}

async function follow(
  type: ResourceType,
  options: WatchOptions & { readonly labelSelector?: string },
  keyOf: (object: ApiObject) => string | undefined,
): Promise<void> {
  const { kubernetes, namespace, labelSelector, queue, log, signal, onSynced } = options;
  const want = (object: ApiObject): void => {
    const key = keyOf(object);
    if (key !== undefined) queue.add(key);
  };
  for await (const event of watchAll(kubernetes, type, { namespace, labelSelector, signal, log })) {
    if (event.type === 'BOOKMARK') continue;
    if (event.type === 'SYNC') {
      for (const object of event.items) want(object);
      if (type === resourceTypes.Registry) onSynced();
    } else {
      want(event.object);
    }
  }
}
