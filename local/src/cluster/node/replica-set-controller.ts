import type { Store } from '../api/store.ts';
import type { EventRecorder } from './event-recorder.ts';
import { modifyStatus, remove } from './modification.ts';
import type { Pod, ReplicaSet } from './objects.ts';
import { isActive, isReady, ownedBy, podOf, randomSuffix } from './owned-pods.ts';

const resource = 'replicasets.apps';

/** Makes a ReplicaSet's Pods as many as it says, and counts them. */
export function reconcileReplicaSet(
  store: Store,
  events: EventRecorder,
  namespace: string,
  name: string,
): void {
  const set = store.peek(resource, namespace, name) as ReplicaSet | undefined;
  if (!set) return;
  const pods = ownedBy<Pod>(store, 'pods', set).filter(isActive);
  const { replicas = 1, template } = set.spec;
  if (!set.metadata.deletionTimestamp) {
    for (let missing = pods.length; missing < replicas; missing++) {
      const pod = podOf(set, `${name}-${randomSuffix()}`, template);
      store.create('pods', pod);
      const message = `Created pod: ${pod.metadata.name}`;
      events.record(set, { reason: 'SuccessfulCreate', message });
    }
    // Those that do not answer go first.
    const surplus = pods.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)));
    for (const pod of surplus.slice(0, Math.max(0, pods.length - replicas))) {
      remove(store, { resource: 'pods', object: pod });
      const message = `Deleted pod: ${pod.metadata.name}`;
      events.record(set, { reason: 'SuccessfulDelete', message });
    }
  }
  writeStatus(store, set);
}

function writeStatus(store: Store, set: ReplicaSet): void {
  const pods = ownedBy<Pod>(store, 'pods', set).filter(isActive);
  const ready = pods.filter(isReady).length;
  modifyStatus(store, { resource, object: set }, (draft) => {
    draft.status = {
      replicas: pods.length,
      fullyLabeledReplicas: pods.length,
      ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
      observedGeneration: draft.metadata.generation ?? 1,
    };
  });
}
