import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { defaulted } from './defaults.ts';
import { collectGarbage } from './garbage-collection.ts';
import type { GivenObject, StoredMeta, StoredObject, StoreEvent } from './object.ts';
import { deepFreeze } from './object.ts';
import { alreadyExists, badRequest, conflict, notFound } from './status.ts';
import { nextFinalizers, statusResources } from './store-rules.ts';

/** How an object is deleted; as DeleteOptions of the API. */
export interface StoreDeleteOptions {
  /** Pods only: 0 removes at once, which is what a kubelet asks for when the processes are gone. */
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

/** Past events that a watch can still start from. */
const historySize = 5000;

/** Every object of the cluster, in memory, with the rules that hold for all of them. */
export class Store {
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #byUid = new Map<string, { resource: string; object: StoredObject }>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #history: StoreEvent[] = [];
  readonly #untold: StoreEvent[] = [];
  #forgotten = 0;
  #version = 0;
  /** Resources whose `status` is written through a subresource only; a CRD adds its own. */
  readonly statusResources = new Set(statusResources);

  constructor() {
    collectGarbage(this);
  }

  /** The resourceVersion of the latest change. */
  get resourceVersion(): string {
    return String(this.#version);
  }

  /** A copy of an object. @param resource `pods`, `deployments.apps`, `plural.group` */
  get(resource: string, namespace: string | undefined, name: string): StoredObject | undefined {
    const found = this.peek(resource, namespace, name);
    return found && structuredClone(found);
  }

  /** Copies of all objects, or of one namespace's, in the order of namespace and name. */
  list(resource: string, namespace?: string): StoredObject[] {
    return this.peekAll(resource, namespace).map((object) => structuredClone(object));
  }

  /** As {@link get}, but the frozen object itself: for reading only. */
  peek(resource: string, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#objects.get(resource)?.get(`${namespace ?? ''}/${name}`);
  }

  /** As {@link list}, but the frozen objects themselves: for reading only. */
  peekAll(resource: string, namespace?: string): StoredObject[] {
    const all = [...(this.#objects.get(resource)?.entries() ?? [])];
    const prefix = namespace ? `${namespace}/` : '';
    return all
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  /** The object with a uid, and where it is filed; frozen. */
  findByUid(uid: string): { resource: string; object: StoredObject } | undefined {
    return this.#byUid.get(uid);
  }

  /** Everything there is, frozen. */
  everything(): { resource: string; object: StoredObject }[] {
    return [...this.#byUid.values()];
  }

  /**
   * Adds an object: uid, resourceVersion, creationTimestamp and generation are the store's to set.
   *
   * @throws {StatusError} 409 if the name is taken.
   */
  create(
    resource: string,
    object: GivenObject,
    options: { readonly dryRun?: boolean | undefined } = {},
  ): StoredObject {
    const { name, namespace } = object.metadata;
    if (!name) throw badRequest(`Cannot create an object of ${resource}: want metadata.name`);
    if (this.peek(resource, namespace, name)) throw alreadyExists({ resource, name });
    const metadata: StoredMeta = {
      ...structuredClone(object.metadata),
      name,
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: timestamp(),
    };
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    if ('spec' in object || resource.includes('.')) metadata.generation = 1;
    const stored = defaulted(resource, { ...structuredClone(object), metadata });
    return options.dryRun ? stored : this.#put('ADDED', resource, stored);
  }

  /**
   * Replaces an object, or with `subresource: 'status'` only its status.
   *
   * Where the given metadata has a resourceVersion, it must be the current one. What would change
   * nothing changes nothing: no event, the same resourceVersion.
   *
   * @throws {StatusError} 404 or 409.
   */
  update(
    resource: string,
    object: GivenObject,
    options: {
      readonly subresource?: string | undefined;
      readonly dryRun?: boolean | undefined;
    } = {},
  ): StoredObject {
    const current = this.#current(resource, object);
    const next = this.#merged(resource, current, structuredClone(object), options.subresource);
    const unchanged = structuredClone(current);
    if (isDeepStrictEqual(withoutManagers(next), withoutManagers(unchanged))) {
      if (isDeepStrictEqual(managersOf(next), managersOf(unchanged))) return unchanged;
    }
    if (options.dryRun) return next;
    if (isDone(next)) return this.#remove(resource, next);
    return this.#put('MODIFIED', resource, next);
  }

  /**
   * Deletes an object: at once, or with a deletionTimestamp while finalizers or the Pod's
   * processes are still to end.
   *
   * @returns The object as it was, or as it now waits for its end.
   * @throws {StatusError} 404, or 409 for a precondition that does not hold.
   */
  delete(
    resource: string,
    namespace: string | undefined,
    name: string,
    options: StoreDeleteOptions = {},
  ): StoredObject {
    const current = this.get(resource, namespace, name);
    if (!current) throw notFound({ resource, name });
    checkPreconditions(resource, current, options);
    const next = structuredClone(current);
    next.metadata.finalizers = nextFinalizers(current, options.propagationPolicy);
    const graceSeconds = graceSecondsOf(resource, current, options);
    if (next.metadata.finalizers.length === 0) {
      delete next.metadata.finalizers;
      if (graceSeconds === 0) return this.#remove(resource, next);
    }
    if (current.metadata.deletionTimestamp) {
      const isSooner = graceSeconds < (current.metadata.deletionGracePeriodSeconds ?? 0);
      const isOther = !isDeepStrictEqual(next.metadata.finalizers, current.metadata.finalizers);
      if (!isSooner && !isOther) return current;
    }
    next.metadata.deletionTimestamp ??= timestamp(graceSeconds * 1000);
    next.metadata.deletionGracePeriodSeconds = graceSeconds;
    if (next.metadata.generation !== undefined) next.metadata.generation += 1;
    return this.#put('MODIFIED', resource, next);
  }

  /** Tells every change to `listener`, right when it happens. @returns What ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The changes after a resourceVersion, or `undefined` if they are forgotten. */
  eventsSince(version: number): StoreEvent[] | undefined {
    if (version < this.#forgotten || version > this.#version) return undefined;
    return this.#history.filter(({ object }) => Number(object.metadata.resourceVersion) > version);
  }

  #current(resource: string, object: GivenObject): StoredObject {
    const { namespace, name = '', uid, resourceVersion } = object.metadata;
    const current = this.peek(resource, namespace, name);
    if (!current) throw notFound({ resource, name });
    if (uid && uid !== current.metadata.uid) {
      throw conflict(
        { resource, name },
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
      );
    }
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw conflict(
        { resource, name },
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    return current;
  }

  #merged(
    resource: string,
    current: StoredObject,
    given: GivenObject,
    subresource?: string,
  ): StoredObject {
    const kept = structuredClone(current);
    if (subresource === 'status') {
      if (given.metadata.managedFields) kept.metadata.managedFields = given.metadata.managedFields;
      if (given['status'] === undefined) delete kept['status'];
      else kept['status'] = given['status'];
      return kept;
    }
    const next: StoredObject = { ...given, metadata: settled(given.metadata, kept.metadata) };
    if (this.statusResources.has(resource)) {
      delete next['status'];
      if (kept['status'] !== undefined) next['status'] = kept['status'];
    }
    const stored = defaulted(resource, next);
    const isNewSpec = !isDeepStrictEqual(specOf(stored), specOf(kept));
    if (stored.metadata.generation !== undefined && isNewSpec) stored.metadata.generation += 1;
    return stored;
  }

  #put(type: 'ADDED' | 'MODIFIED', resource: string, object: StoredObject): StoredObject {
    object.metadata.resourceVersion = String(++this.#version);
    const stored = deepFreeze(structuredClone(object));
    const { namespace = '', name, uid } = object.metadata;
    const all = this.#objects.get(resource) ?? new Map<string, StoredObject>();
    const previous = all.get(`${namespace}/${name}`);
    this.#objects.set(resource, all.set(`${namespace}/${name}`, stored));
    this.#byUid.set(uid, { resource, object: stored });
    this.#tell({ type, resource, object: stored, previous });
    return object;
  }

  #remove(resource: string, object: StoredObject): StoredObject {
    const { namespace = '', name, uid } = object.metadata;
    object.metadata.resourceVersion = String(++this.#version);
    this.#objects.get(resource)?.delete(`${namespace}/${name}`);
    this.#byUid.delete(uid);
    this.#tell({ type: 'DELETED', resource, object: deepFreeze(structuredClone(object)) });
    return object;
  }

  // A listener may change the store again: that event waits until everybody has heard of this one.
  #tell(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length > historySize * 2) {
      this.#history = this.#history.slice(-historySize);
      this.#forgotten = Number(this.#history[0]?.object.metadata.resourceVersion) - 1;
    }
    if (this.#untold.push(event) > 1) return;
    for (let next = this.#untold[0]; next; next = this.#untold[0]) {
      for (const listener of this.#listeners) listener(next);
      this.#untold.shift();
    }
  }
}

/** Now, or so many milliseconds from now, as the API writes times: whole seconds, UTC. */
export function timestamp(offsetMs = 0): string {
  return new Date(Date.now() + offsetMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

function settled(given: Partial<StoredMeta>, kept: StoredMeta): StoredMeta {
  const { generation, deletionTimestamp, deletionGracePeriodSeconds } = kept;
  const metadata: StoredMeta = {
    ...given,
    name: kept.name,
    uid: kept.uid,
    resourceVersion: kept.resourceVersion,
    creationTimestamp: kept.creationTimestamp,
  };
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.generation;
  if (!given.managedFields && kept.managedFields) metadata.managedFields = kept.managedFields;
  if (generation !== undefined) metadata.generation = generation;
  if (deletionTimestamp !== undefined) metadata.deletionTimestamp = deletionTimestamp;
  if (deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds = deletionGracePeriodSeconds;
  }
  return metadata;
}

function specOf({ metadata: _metadata, status: _status, ...rest }: StoredObject): unknown {
  return rest;
}

function withoutManagers(object: StoredObject): unknown {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function managersOf(object: StoredObject): unknown {
  return object.metadata.managedFields?.map(({ time: _time, ...rest }) => rest);
}

function isDone({ metadata }: StoredObject): boolean {
  const waitsForProcesses = (metadata.deletionGracePeriodSeconds ?? 0) > 0;
  return (
    metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length && !waitsForProcesses
  );
}

function graceSecondsOf(
  resource: string,
  object: StoredObject,
  options: StoreDeleteOptions,
): number {
  const spec = object['spec'] as
    | { nodeName?: string; terminationGracePeriodSeconds?: number }
    | undefined;
  // What no kubelet runs, no kubelet has to end.
  if (resource !== 'pods' || !spec?.nodeName) return 0;
  return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
}

function checkPreconditions(
  resource: string,
  { metadata }: StoredObject,
  { preconditions }: StoreDeleteOptions,
): void {
  for (const field of ['uid', 'resourceVersion'] as const) {
    const wanted = preconditions?.[field];
    if (wanted !== undefined && wanted !== metadata[field]) {
      throw conflict(
        { resource, name: metadata.name },
        `the ${field} in the precondition (${wanted}) does not match the ${field} in record (${metadata[field]})`,
      );
    }
  }
}
