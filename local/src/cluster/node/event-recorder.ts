import { randomBytes } from 'node:crypto';

import type { StoredObject } from '../api/object.ts';
import { timestamp } from '../api/store.ts';
import type { Store } from '../api/store.ts';
import { modify } from './modification.ts';

/** What happened to an object, as `kubectl describe` shows it. */
export interface Happening {
  readonly type?: 'Normal' | 'Warning';
  /** One word. */
  readonly reason: string;
  readonly message: string;
  /** `spec.containers{name}` where it is about one container. */
  readonly fieldPath?: string;
}

interface StoredEvent extends StoredObject {
  count: number;
  lastTimestamp: string;
}

/** Writes Events; the same thing again is counted, not repeated. */
export class EventRecorder {
  readonly #store: Store;
  readonly #component: string;
  readonly #known = new Map<string, StoredEvent>();

  /** @param component Who says it: `kubelet`, `deployment-controller`. */
  constructor(store: Store, component: string) {
    this.#store = store;
    this.#component = component;
  }

  /** Writes an Event beside the object that it is about. */
  record(object: StoredObject, happening: Happening): void {
    const key = `${object.metadata.uid} ${happening.reason} ${happening.message}`;
    const known = this.#known.get(key);
    const again = known && modify(this.#store, { resource: 'events', object: known }, countOnce);
    const event = again ?? this.#create(object, happening);
    if (event) this.#known.set(key, event);
  }

  #create(object: StoredObject, happening: Happening): StoredEvent | undefined {
    const namespace = object.metadata.namespace ?? 'default';
    // The last words about a namespace's content have nowhere to go.
    if (this.#store.peek('namespaces', undefined, namespace)?.metadata.deletionTimestamp) return;
    const now = timestamp();
    const { name, uid, resourceVersion } = object.metadata;
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(object.metadata.namespace ? { namespace } : {}),
        uid,
        resourceVersion,
        ...(happening.fieldPath ? { fieldPath: happening.fieldPath } : {}),
      },
      type: happening.type ?? 'Normal',
      reason: happening.reason,
      message: happening.message,
      source: { component: this.#component, host: 'local' },
      reportingComponent: this.#component,
      reportingInstance: 'local',
      firstTimestamp: now,
      lastTimestamp: now,
      eventTime: null,
      count: 1,
    };
    return this.#store.create('events', event) as StoredEvent;
  }
}

function countOnce(event: StoredEvent): void {
  event.count += 1;
  event.lastTimestamp = timestamp();
}
