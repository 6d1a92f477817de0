import type { StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';

/** Where an object is filed in the store. */
export interface Place {
  readonly resource: string;
  readonly object: StoredObject;
}

/**
 * Changes an object as it is now, in one step; one that was deleted or replaced is left alone.
 *
 * @param change Gets a copy to change in place.
 * @returns The object after the change, or `undefined` if it is gone.
 */
export function modify<T extends StoredObject>(
  store: Store,
  place: { readonly resource: string; readonly object: T },
  change: (draft: T) => void,
): T | undefined {
  return write(store, place, change, undefined);
}

/** As {@link modify}, for what only the status subresource may write. */
export function modifyStatus<T extends StoredObject>(
  store: Store,
  place: { readonly resource: string; readonly object: T },
  change: (draft: T) => void,
): T | undefined {
  return write(store, place, change, 'status');
}

function write<T extends StoredObject>(
  store: Store,
  { resource, object }: { readonly resource: string; readonly object: T },
  change: (draft: T) => void,
  subresource: 'status' | undefined,
): T | undefined {
  const { namespace, name, uid } = object.metadata;
  const current = store.get(resource, namespace, name) as T | undefined;
  if (current?.metadata.uid !== uid) return undefined;
  change(current);
  return store.update(resource, current, { subresource }) as T;
}

/** Deletes an object if it is still the same one. @param gracePeriodSeconds 0 for a Pod whose processes are gone. */
export function remove(
  store: Store,
  { resource, object }: Place,
  gracePeriodSeconds?: number,
): void {
  const { namespace, name, uid } = object.metadata;
  if (store.peek(resource, namespace, name)?.metadata.uid !== uid) return;
  store.delete(resource, namespace, name, { gracePeriodSeconds });
}
