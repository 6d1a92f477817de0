import type { StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { deploymentStatusOf } from './deployment-status.ts';
import type { EventRecorder } from './event-recorder.ts';
import { modify, modifyStatus, remove } from './modification.ts';
import type { Deployment, Pod, ReplicaSet } from './objects.ts';
import { controllerReference, hashOf, ownedBy } from './owned-pods.ts';
import { nextReplicas } from './rollout.ts';

const resource = 'deployments.apps';
const setResource = 'replicasets.apps';
const revisionKey = 'deployment.kubernetes.io/revision';
const hashLabel = 'pod-template-hash';

/**
 * Brings a Deployment one step closer to what it says: one ReplicaSet per template, and Pods moved
 * from the old ones to the new one as its strategy allows.
 *
 * @returns After how many milliseconds to look again though nothing changed, if at all.
 */
export function reconcileDeployment(
  store: Store,
  events: EventRecorder,
  namespace: string,
  name: string,
): number | undefined {
  const deployment = store.peek(resource, namespace, name) as Deployment | undefined;
  if (!deployment || deployment.metadata.deletionTimestamp) return undefined;
  const hash = hashOf(deployment.spec.template);
  const findCurrent = (): ReplicaSet | undefined =>
    setsOf(store, deployment).find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  const current =
    findCurrent() ?? (deployment.spec.paused ? undefined : create(store, deployment, hash));
  if (current) {
    markCurrent(store, deployment, current);
    scale({ store, events, deployment }, current);
  }
  forgetOld(store, deployment, hash);
  const { status, lookAgainMs } = deploymentStatusOf(
    deployment,
    findCurrent(),
    setsOf(store, deployment),
  );
  modifyStatus(store, { resource, object: deployment }, (draft) => {
    draft.status = status;
  });
  return lookAgainMs;
}

function setsOf(store: Store, deployment: StoredObject): ReplicaSet[] {
  return ownedBy<ReplicaSet>(store, setResource, deployment);
}

function revisionOf({ metadata }: StoredObject): number {
  return Number(metadata.annotations?.[revisionKey] ?? 0);
}

function create(store: Store, deployment: Deployment, hash: string): ReplicaSet {
  const { name, namespace } = deployment.metadata;
  const { template, selector } = structuredClone(deployment.spec);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return store.create(setResource, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace ? { namespace } : {}),
      labels,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }) as ReplicaSet;
}

/** The template that is rolled out has the highest revision, also when it is an old one again. */
function markCurrent(store: Store, deployment: Deployment, current: ReplicaSet): void {
  const others = setsOf(store, deployment).filter(
    ({ metadata }) => metadata.uid !== current.metadata.uid,
  );
  const highest = Math.max(0, ...others.map(revisionOf));
  const revision = String(Math.max(highest + 1, revisionOf(current)));
  for (const place of [
    { resource: setResource, object: current },
    { resource, object: deployment },
  ]) {
    modify<StoredObject>(store, place, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [revisionKey]: revision };
    });
  }
}

interface Scaling {
  readonly store: Store;
  readonly events: EventRecorder;
  readonly deployment: Deployment;
}

function scale({ store, events, deployment }: Scaling, current: ReplicaSet): void {
  const sets = setsOf(store, deployment);
  const podsLeft = (set: ReplicaSet): number => ownedBy<Pod>(store, 'pods', set).length;
  const wanted = nextReplicas(deployment, current, sets, podsLeft);
  for (const set of sets) {
    const replicas = wanted.get(set.metadata.uid);
    const before = set.spec.replicas ?? 1;
    if (replicas === undefined || replicas === before) continue;
    modify(store, { resource: setResource, object: set }, (draft) => {
      draft.spec.replicas = replicas;
    });
    const direction = replicas > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
    events.record(deployment, { reason: 'ScalingReplicaSet', message });
  }
}

function forgetOld(store: Store, deployment: Deployment, hash: string): void {
  const old = setsOf(store, deployment)
    .filter(({ metadata }) => metadata.labels?.[hashLabel] !== hash)
    .filter(({ spec, status }) => spec.replicas === 0 && !status?.replicas)
    .toSorted((a, b) => revisionOf(b) - revisionOf(a));
  for (const set of old.slice(deployment.spec.revisionHistoryLimit ?? 10)) {
    remove(store, { resource: setResource, object: set });
  }
}
