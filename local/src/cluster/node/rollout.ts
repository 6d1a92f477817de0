import type { Deployment, ReplicaSet } from './objects.ts';

/**
 * How many Pods each ReplicaSet of a Deployment is to have next.
 *
 * @param sets All of them, the current one included.
 * @param podsLeft How many Pods of a ReplicaSet still exist, also those on their way out.
 * @returns By uid; a ReplicaSet that is not in it keeps what it has.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
 */
export function nextReplicas(
  deployment: Deployment,
  current: ReplicaSet,
  sets: readonly ReplicaSet[],
  podsLeft: (set: ReplicaSet) => number,
): Map<string, number> {
  const { replicas = 1, strategy, paused } = deployment.spec;
  const { uid } = current.metadata;
  const old = sets.filter(({ metadata }) => metadata.uid !== uid);
  const isAlone = old.every(({ spec }) => (spec.replicas ?? 1) === 0);
  if (paused) return isAlone ? new Map([[uid, replicas]]) : new Map();
  if (strategy?.type === 'Recreate') {
    const next = new Map(old.map(({ metadata }) => [metadata.uid, 0]));
    return old.every((set) => podsLeft(set) === 0) ? next.set(uid, replicas) : next;
  }
  return rolled(deployment, current, sets, old);
}

function rolled(
  { spec }: Deployment,
  current: ReplicaSet,
  sets: readonly ReplicaSet[],
  old: readonly ReplicaSet[],
): Map<string, number> {
  const { replicas = 1 } = spec;
  const { maxSurge, maxUnavailable } = limitsOf(spec);
  const total = sum(sets.map(sizeOf));
  const room = Math.max(0, replicas + maxSurge - total);
  const grown = Math.min(replicas, sizeOf(current) + room);
  const next = new Map([[current.metadata.uid, grown]]);
  const isNewUnavailable = Math.max(0, sizeOf(current) - availableOf(current));
  let removable = total - (replicas - maxUnavailable) - isNewUnavailable;
  // What does not answer goes first: it is not missed.
  for (const unavailableOnly of [true, false]) {
    for (const set of old) {
      const left = next.get(set.metadata.uid) ?? sizeOf(set);
      const unneeded = unavailableOnly ? Math.max(0, left - availableOf(set)) : left;
      const count = Math.max(0, Math.min(unneeded, removable));
      removable -= count;
      next.set(set.metadata.uid, left - count);
    }
  }
  return next;
}

function limitsOf({ replicas = 1, strategy }: Deployment['spec']): {
  maxSurge: number;
  maxUnavailable: number;
} {
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy?.rollingUpdate ?? {};
  const surge = shareOf(maxSurge, replicas, Math.ceil);
  const unavailable = shareOf(maxUnavailable, replicas, Math.floor);
  // Both zero would never move.
  return { maxSurge: surge, maxUnavailable: surge + unavailable === 0 ? 1 : unavailable };
}

function shareOf(value: number | string, total: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  return round((total * Number.parseFloat(value)) / 100);
}

function sizeOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1;
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
