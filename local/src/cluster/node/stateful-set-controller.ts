import type { Store } from '../api/store.ts';
import type { EventRecorder } from './event-recorder.ts';
import { modifyStatus, remove } from './modification.ts';
import type { Pod, StatefulSet } from './objects.ts';
import { hashOf, isReady, ownedBy, podOf } from './owned-pods.ts';

const resource = 'statefulsets.apps';
const revisionLabel = 'controller-revision-hash';

interface Reconciling {
  readonly store: Store;
  readonly events: EventRecorder;
  readonly set: StatefulSet;
  readonly revision: string;
}

/**
 * Brings a StatefulSet one step closer to what it says: Pods, … in order, each replaced
 * only when the one before it is gone.
 *
 * As on a real cluster, a Pod that never gets ready holds a rolling update up with OrderedReady.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
export function reconcileStatefulSet(
  store: Store,
  events: EventRecorder,
  namespace: string,
  name: string,
): void {
  const set = store.peek(resource, namespace, name) as StatefulSet | undefined;
  if (!set) return;
  const revision = `${name}-${hashOf(set.spec.template)}`;
  if (!set.metadata.deletionTimestamp) step({ store, events, set, revision });
  writeStatus(store, set, revision);
}

function step(reconciling: Reconciling): void {
  const { store, set } = reconciling;
  const { replicas = 1, podManagementPolicy } = set.spec;
  const isOrdered = podManagementPolicy !== 'Parallel';
  const pods = podsOf(store, set);
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const pod = pods.get(ordinal);
    if (!pod) create(reconciling, ordinal);
    else if (isOver(pod)) replace(reconciling, pod);
    if (isOrdered && (!pod || !isHealthy(pod))) return;
  }
  const surplus = [...pods.keys()].filter((ordinal) => ordinal >= replicas);
  for (const ordinal of surplus.toSorted((a, b) => b - a)) {
    replace(reconciling, pods.get(ordinal));
    if (isOrdered) return;
  }
  update(reconciling, pods);
}

/** From the last to the first, one at a time. */
function update(reconciling: Reconciling, pods: ReadonlyMap<number, Pod>): void {
  const { set, revision } = reconciling;
  for (const ordinal of updatable(set)) {
    const pod = pods.get(ordinal);
    if (!pod) return;
    const isCurrent = pod.metadata.labels?.[revisionLabel] === revision;
    if (!isCurrent && !pod.metadata.deletionTimestamp) return replace(reconciling, pod);
    if (!isHealthy(pod)) return;
  }
}

function updatable({ spec }: StatefulSet): number[] {
  if (spec.updateStrategy?.type === 'OnDelete') return [];
  const { partition = 0 } = spec.updateStrategy?.rollingUpdate ?? {};
  const count = Math.max(0, (spec.replicas ?? 1) - partition);
  return Array.from({ length: count }, (_, index) => partition + count - 1 - index);
}

function podsOf(store: Store, set: StatefulSet): Map<number, Pod> {
  const prefix = `${set.metadata.name}-`;
  const entries = ownedBy<Pod>(store, 'pods', set).map((pod): [number, Pod] => [
    Number(pod.metadata.name.slice(prefix.length)),
    pod,
  ]);
  return new Map(entries);
}

function create({ store, events, set, revision }: Reconciling, ordinal: number): void {
  const { name, namespace } = set.metadata;
  const { template, serviceName } = set.spec;
  const podName = `${name}-${ordinal}`;
  const pod = podOf(set, podName, template, {
    [revisionLabel]: revision,
    'statefulset.kubernetes.io/pod-name': podName,
    'apps.kubernetes.io/pod-index': String(ordinal),
  });
  pod.spec.hostname = podName;
  if (serviceName) pod.spec.subdomain = serviceName;
  for (const claim of set.spec.volumeClaimTemplates ?? []) {
    const claimName = `${claim.metadata.name}-${podName}`;
    const others = (pod.spec.volumes ?? []).filter((each) => each.name !== claim.metadata.name);
    const volume = { name: claim.metadata.name, persistentVolumeClaim: { claimName } };
    pod.spec.volumes = [...others, volume];
    if (store.peek('persistentvolumeclaims', namespace, claimName)) continue;
    store.create('persistentvolumeclaims', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...claim.metadata, name: claimName, ...(namespace ? { namespace } : {}) },
      spec: structuredClone(claim.spec),
    });
  }
  store.create('pods', pod);
  const message = `create Pod ${podName} in StatefulSet ${name} successful`;
  events.record(set, { reason: 'SuccessfulCreate', message });
}

function replace({ store, events, set }: Reconciling, pod: Pod | undefined): void {
  if (!pod || pod.metadata.deletionTimestamp) return;
  remove(store, { resource: 'pods', object: pod });
  const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
  events.record(set, { reason: 'SuccessfulDelete', message });
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

function isHealthy(pod: Pod): boolean {
  return isReady(pod) && !pod.metadata.deletionTimestamp;
}

function writeStatus(store: Store, set: StatefulSet, revision: string): void {
  const pods = ownedBy<Pod>(store, 'pods', set);
  const updated = pods.filter(({ metadata }) => metadata.labels?.[revisionLabel] === revision);
  const ready = pods.filter(isReady).length;
  const { replicas = 1 } = set.spec;
  const isComplete = updated.length === replicas && updated.every(isHealthy);
  modifyStatus(store, { resource, object: set }, (draft) => {
    const before = draft.status?.currentRevision ?? revision;
    const currentRevision = isComplete ? revision : before;
    draft.status = {
      observedGeneration: draft.metadata.generation,
      replicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      currentReplicas: pods.filter(
        ({ metadata }) => metadata.labels?.[revisionLabel] === currentRevision,
      ).length,
      updatedReplicas: updated.length,
      currentRevision,
      updateRevision: revision,
      collisionCount: 0,
    };
  });
}
