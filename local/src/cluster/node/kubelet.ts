import type { StoreEvent } from '../api/object.ts';
import { modify } from './modification.ts';
import { nodeName } from './node-context.ts';
import type { NodeContext } from './node-context.ts';
import type { Pod } from './objects.ts';
import { PodWorker } from './pod-worker.ts';

/** Runs every Pod that is bound to this node, and binds those that nobody has bound. */
export class Kubelet {
  readonly #context: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  #isClosed = false;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** The worker of a Pod. @throws {Error} if it does not run here. */
  workerOf(namespace: string, name: string): PodWorker {
    const pod = this.#context.store.peek('pods', namespace, name);
    const worker = pod && this.#workers.get(pod.metadata.uid);
    if (!worker)
      throw new Error(`Cannot find pod ${namespace}/${name}: it does not run on this node`);
    return worker;
  }

  /** Follows the changes of Pods, and of what their volumes show. */
  handle({ type, resource, object }: StoreEvent): void {
    if (this.#isClosed) return;
    if (resource === 'secrets' || resource === 'configmaps') {
      // Refreshing writes nothing to the store, so it may happen within the event.
      for (const worker of this.#workers.values()) worker.refreshVolumes(resource, object.metadata);
    } else if (resource === 'pods') this.#handlePod(type, object as Pod);
  }

  /** Ends every Pod's processes. @param graceMs 0 kills at once. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.end(graceMs)));
    this.#workers.clear();
  }

  #handlePod(type: StoreEvent['type'], pod: Pod): void {
    const { uid } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (type === 'DELETED') {
      this.#workers.delete(uid);
      // Deleted by force: the object is gone, the processes are not.
      void worker?.end(0);
    } else if (worker) worker.update(pod);
    else this.#takeOn(pod);
  }

  /** Binds a new Pod, or starts one that is bound. */
  #takeOn({ metadata: { namespace, name, uid } }: Pod): void {
    const pod = this.#context.store.peek('pods', namespace, name) as Pod | undefined;
    if (this.#isClosed || pod?.metadata.uid !== uid || this.#workers.has(uid)) return;
    if (isOver(pod)) return;
    if (!pod.spec.nodeName) this.#bind(pod);
    else if (pod.spec.nodeName === nodeName) {
      const worker = new PodWorker(this.#context, pod);
      this.#workers.set(uid, worker);
      if (pod.metadata.deletionTimestamp) worker.update(pod);
    }
  }

  #bind(pod: Pod): void {
    const { store, events } = this.#context;
    const { labels = {} } = store.peek('nodes', undefined, nodeName)?.metadata ?? {};
    const wanted = Object.entries(pod.spec.nodeSelector ?? {});
    if (wanted.some(([key, value]) => labels[key] !== value)) {
      const message =
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
      events.record(pod, { type: 'Warning', reason: 'FailedScheduling', message });
      return;
    }
    const message = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${nodeName}`;
    events.record(pod, { reason: 'Scheduled', message });
    modify(store, { resource: 'pods', object: pod }, (draft) => {
      draft.spec.nodeName = nodeName;
    });
  }
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
