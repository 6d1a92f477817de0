import type { Log } from '@reposure/core';

import type { StoreEvent, StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { reconcileDeployment } from './deployment-controller.ts';
import { reconcileEndpoints } from './endpoints-controller.ts';
import { EventRecorder } from './event-recorder.ts';
import { isSelected } from './labels.ts';
import type { Service } from './objects.ts';
import { reconcileReplicaSet } from './replica-set-controller.ts';
import { reconcileStatefulSet } from './stateful-set-controller.ts';
import { WorkQueue } from './work-queue.ts';

/** What is asked to look at one object. */
type Reconcile = (namespace: string, name: string) => number | void;

/** The loops of a controller manager: workloads to Pods, Services to endpoints. */
export class Controllers {
  readonly #store: Store;
  readonly #log: Log;
  readonly #queues = new Map<string, WorkQueue>();

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    const deployments = new EventRecorder(store, 'deployment-controller');
    const sets = new EventRecorder(store, 'replicaset-controller');
    const stateful = new EventRecorder(store, 'statefulset-controller');
    this.#add('Deployment', (...key) => reconcileDeployment(store, deployments, ...key));
    this.#add('ReplicaSet', (...key) => reconcileReplicaSet(store, sets, ...key));
    this.#add('StatefulSet', (...key) => reconcileStatefulSet(store, stateful, ...key));
    this.#add('Service', (...key) => reconcileEndpoints(store, ...key));
  }

  /** Looks at the object itself, at its owners, and at the Services that select it. */
  handle({ type, object }: StoreEvent): void {
    const { namespace, name, ownerReferences = [] } = object.metadata;
    if (!namespace) return;
    if (type !== 'DELETED') this.#queues.get(object.kind)?.add(`${namespace}/${name}`);
    for (const owner of ownerReferences) {
      if (owner.controller) this.#queues.get(owner.kind)?.add(`${namespace}/${owner.name}`);
    }
    if (object.kind === 'Pod') {
      this.#lookAtServices(object);
      // Recreate waits for the last Pod, which its ReplicaSet no longer counts.
      if (type === 'DELETED') this.#lookAtDeploymentOf(object);
    }
  }

  /** Stops every loop. */
  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }

  #lookAtDeploymentOf({ metadata: { ownerReferences = [] } }: StoredObject): void {
    for (const { uid } of ownerReferences) {
      const set = this.#store.findByUid(uid)?.object;
      for (const owner of set?.metadata.ownerReferences ?? []) {
        this.#queues.get(owner.kind)?.add(`${set?.metadata.namespace}/${owner.name}`);
      }
    }
  }

  #lookAtServices({ metadata: { namespace, labels } }: StoredObject): void {
    for (const { spec, metadata } of this.#store.peekAll('services', namespace) as Service[]) {
      if (spec.selector && isSelected({ matchLabels: spec.selector }, labels)) {
        this.#queues.get('Service')?.add(`${namespace}/${metadata.name}`);
      }
    }
  }

  #add(kind: string, reconcile: Reconcile): void {
    const queue: WorkQueue = new WorkQueue((key) => {
      const [namespace = '', name = ''] = key.split('/');
      const lookAgainMs = reconcile(namespace, name);
      if (lookAgainMs) queue.addAfter(key, lookAgainMs);
    }, this.#log);
    this.#queues.set(kind, queue);
  }
}
