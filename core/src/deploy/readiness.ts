import { groupOf } from '../kubernetes/index.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import { kindKeyOf } from './manifest.ts';

/** How far an object has come, as its status says. */
export type Readiness =
  | { readonly state: 'ready' }
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string };

/** As much of any object as says how far it is. */
export interface Waitable extends KubernetesObject {
  spec?: {
    replicas?: number;
    paused?: boolean;
    suspend?: boolean;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
  };
  status?: {
    observedGeneration?: number;
    phase?: string;
    reason?: string;
    message?: string;
    replicas?: number;
    readyReplicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
    conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

const ready: Readiness = { state: 'ready' };
const waiting = (reason: string): Readiness => ({ state: 'waiting', reason });

const byKind: Readonly<Record<string, (object: Waitable) => Readiness>> = {
  Pod: podReadiness,
  'apps/Deployment': deploymentReadiness,
  'apps/StatefulSet': statefulSetReadiness,
  'apps/DaemonSet': daemonSetReadiness,
  'apps/ReplicaSet': replicaSetReadiness,
  'batch/Job': jobReadiness,
};

/** Kinds of Kubernetes' own that there is nothing to wait for. */
const builtInGroups = /^$|^(?:apps|batch|policy|autoscaling|extensions)$|\.k8s\.io$/;

/** Whether the object is one that comes to be something after it was applied. */
export function isWaitable(object: KubernetesObject): boolean {
  return kindKeyOf(object) in byKind || !builtInGroups.test(groupOf(object.apiVersion));
}

/**
 * How far an object has come.
 *
 * Custom kinds are taken at their word: with a condition `Ready`, that has to be true; without one
 * there is nothing to wait for.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus the same rules
 */
export function readinessOf(object: Waitable): Readiness {
  const { metadata, status } = object;
  const seen = status?.observedGeneration;
  const isOutdated = seen !== undefined && seen < (metadata.generation ?? 0);
  if (isOutdated) return waiting('its controller has not seen the change yet');
  return (byKind[kindKeyOf(object)] ?? customReadiness)(object);
}

const unseen = waiting('its controller has not seen it yet');

function deploymentReadiness({ spec = {}, status = {} }: Waitable): Readiness {
  const { replicas: wanted = 1 } = spec;
  if (status.observedGeneration === undefined) return unseen;
  if (spec.paused) return ready;
  if (conditionOf(status.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    const count = `${status.availableReplicas ?? 0} of ${wanted}`;
    const reason = `${count} Pods are available after its progressDeadlineSeconds`;
    return { state: 'failed', reason };
  }
  return replicasReadiness(status, wanted);
}

function replicasReadiness(status: NonNullable<Waitable['status']>, wanted: number): Readiness {
  const { updatedReplicas: updated = 0, availableReplicas: available = 0, replicas = 0 } = status;
  if (updated < wanted) return waiting(`${updated} of ${wanted} Pods are of the new version`);
  // Of the old ones, a Pod may be the one that is available.
  if (replicas > updated) return waiting(`${replicas - updated} Pods of the old version are there`);
  return available < updated ? waiting(`${available} of ${wanted} new Pods are available`) : ready;
}

function statefulSetReadiness({ spec = {}, status = {} }: Waitable): Readiness {
  const { replicas: wanted = 1, updateStrategy } = spec;
  if (status.observedGeneration === undefined) return unseen;
  // Somebody deletes its Pods by hand, when it suits.
  if (updateStrategy?.type === 'OnDelete') return ready;
  const toUpdate = Math.max(0, wanted - (updateStrategy?.rollingUpdate?.partition ?? 0));
  return revisionReadiness(status, wanted, toUpdate);
}

function revisionReadiness(
  status: NonNullable<Waitable['status']>,
  wanted: number,
  toUpdate: number,
): Readiness {
  const { updatedReplicas: updated = 0, readyReplicas = 0 } = status;
  const isSettled = status.currentRevision === status.updateRevision;
  if (updated < toUpdate && !isSettled) {
    return waiting(`${updated} of ${toUpdate} Pods are of the new version`);
  }
  return readyReplicas < wanted ? waiting(`${readyReplicas} of ${wanted} Pods are ready`) : ready;
}

function daemonSetReadiness({ spec = {}, status = {} }: Waitable): Readiness {
  const { desiredNumberScheduled: wanted = 0, numberAvailable = 0 } = status;
  const { updatedNumberScheduled: updated = 0 } = status;
  if (status.observedGeneration === undefined) return unseen;
  if (spec.updateStrategy?.type === 'OnDelete') return ready;
  if (updated < wanted) return waiting(`${updated} of ${wanted} Pods are of the new version`);
  if (numberAvailable < wanted)
    return waiting(`${numberAvailable} of ${wanted} Pods are available`);
  return ready;
}

function replicaSetReadiness({ spec = {}, status = {} }: Waitable): Readiness {
  const { replicas: wanted = 1 } = spec;
  const { availableReplicas = 0 } = status;
  return availableReplicas < wanted
    ? waiting(`${availableReplicas} of ${wanted} Pods are available`)
    : ready;
}

function podReadiness({ status = {} }: Waitable): Readiness {
  if (status.phase === 'Succeeded') return ready;
  if (status.phase === 'Failed')
    return { state: 'failed', reason: status.message ?? 'it has failed' };
  const isReady = conditionOf(status.conditions, 'Ready')?.status === 'True';
  return isReady ? ready : waiting('it is not ready');
}

function jobReadiness({ spec = {}, status = {} }: Waitable): Readiness {
  const { conditions } = status;
  if (spec.suspend || conditionOf(conditions, 'Complete')?.status === 'True') return ready;
  const failed = conditionOf(conditions, 'Failed');
  if (failed?.status !== 'True') return waiting('it has not finished');
  return { state: 'failed', reason: failed.message ?? failed.reason ?? 'it has failed' };
}

function customReadiness({ metadata, status = {} }: Waitable): Readiness {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return ready;
  const stalled = conditionOf(conditions, 'Stalled');
  if (stalled?.status === 'True') return { state: 'failed', reason: sentenceOf(stalled) };
  const condition = conditionOf(conditions, 'Ready');
  if (!condition) return ready;
  const seen = condition.observedGeneration;
  if (seen !== undefined && seen < (metadata.generation ?? 0)) {
    return waiting('its controller has not seen the change yet');
  }
  return condition.status === 'True' ? ready : waiting(sentenceOf(condition));
}

function sentenceOf({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(': ') || 'it is not ready';
}

function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
