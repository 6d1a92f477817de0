import type { StoredObject, StoreEvent } from './object.ts';
import { foregroundFinalizer, orphanFinalizer } from './store-rules.ts';

/** What garbage collection needs of the store. */
interface Collected {
  findByUid(uid: string): { resource: string; object: StoredObject } | undefined;
  everything(): { resource: string; object: StoredObject }[];
  get(resource: string, namespace: string | undefined, name: string): StoredObject | undefined;
  update(resource: string, object: StoredObject): StoredObject;
  delete(resource: string, namespace: string | undefined, name: string): StoredObject;
  subscribe(listener: (event: StoreEvent) => void): () => void;
}

/**
 * Deletes what no longer has an owner, in the background: an event is handled after the call that
 * caused it has returned.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function collectGarbage(store: Collected): void {
  store.subscribe((event) => {
    const { metadata } = event.object;
    const isOwned = (metadata.ownerReferences?.length ?? 0) > 0;
    const isEnding = metadata.finalizers?.some((finalizer) => waiting.has(finalizer));
    if (event.type !== 'DELETED' && !isOwned && !isEnding) return;
    setImmediate(() => {
      if (event.type === 'DELETED') handleGone(store, event.object);
      else handleChanged(store, metadata.uid);
    });
  });
}

const waiting = new Set([foregroundFinalizer, orphanFinalizer]);

function handleGone(store: Collected, gone: StoredObject): void {
  for (const { resource, object } of dependentsOf(store, gone.metadata.uid)) {
    deleteIfUnowned(store, resource, object);
  }
  for (const { uid } of gone.metadata.ownerReferences ?? []) handleChanged(store, uid);
}

function handleChanged(store: Collected, uid: string): void {
  const found = store.findByUid(uid);
  if (!found) return;
  const { resource, object } = found;
  deleteIfUnowned(store, resource, object);
  const finalizers = object.metadata.finalizers ?? [];
  if (!object.metadata.deletionTimestamp) return;
  if (finalizers.includes(orphanFinalizer)) {
    for (const dependent of dependentsOf(store, uid)) disown(store, dependent, uid);
    dropFinalizer(store, resource, object, orphanFinalizer);
  } else if (finalizers.includes(foregroundFinalizer)) {
    const dependents = dependentsOf(store, uid);
    if (dependents.length === 0) dropFinalizer(store, resource, object, foregroundFinalizer);
    for (const { resource: type, object: dependent } of dependents) {
      if (!dependent.metadata.deletionTimestamp) remove(store, type, dependent);
    }
  }
}

function dependentsOf(store: Collected, uid: string): { resource: string; object: StoredObject }[] {
  return store
    .everything()
    .filter(({ object }) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid));
}

function deleteIfUnowned(store: Collected, resource: string, object: StoredObject): void {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0 || object.metadata.deletionTimestamp) return;
  if (owners.some(({ uid }) => store.findByUid(uid))) return;
  remove(store, resource, object);
}

function remove(store: Collected, resource: string, { metadata }: StoredObject): void {
  const current = store.get(resource, metadata.namespace, metadata.name);
  if (current?.metadata.uid === metadata.uid) {
    store.delete(resource, metadata.namespace, metadata.name);
  }
}

function disown(
  store: Collected,
  dependent: { resource: string; object: StoredObject },
  uid: string,
): void {
  const next = structuredClone(dependent.object);
  next.metadata.ownerReferences =
    next.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
  store.update(dependent.resource, next);
}

function dropFinalizer(
  store: Collected,
  resource: string,
  object: StoredObject,
  finalizer: string,
): void {
  const next = structuredClone(object);
  next.metadata.finalizers = next.metadata.finalizers?.filter((each) => each !== finalizer) ?? [];
  store.update(resource, next);
}
