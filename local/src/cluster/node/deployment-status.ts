import { timestamp } from '../api/store.ts';
import { asStatus, withConditions } from './condition.ts';
import type { Condition, Deployment, ReplicaSet } from './objects.ts';

/** A status, and when it would change by itself. */
export interface DeploymentStatus {
  readonly status: NonNullable<Deployment['status']>;
  readonly lookAgainMs: number | undefined;
}

const timeoutReason = 'ProgressDeadlineExceeded';

interface Counts {
  readonly wanted: number;
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
}

/** What a Deployment's controller says of it. @param current Absent while it is paused from the start. */
export function deploymentStatusOf(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  sets: readonly ReplicaSet[],
): DeploymentStatus {
  const total = (
    count: (status: NonNullable<ReplicaSet['status']>) => number | undefined,
  ): number => sets.reduce((sum, { status }) => sum + (status ? (count(status) ?? 0) : 0), 0);
  const counts: Counts = {
    wanted: deployment.spec.replicas ?? 1,
    replicas: total(({ replicas }) => replicas),
    updated: current?.status?.replicas ?? 0,
    ready: total(({ readyReplicas }) => readyReplicas),
    available: total(({ availableReplicas }) => availableReplicas),
  };
  const { condition, lookAgainMs } = progressing(deployment, current, counts);
  const conditions = [availability(counts), ...(condition ? [condition] : [])];
  const status = {
    observedGeneration: deployment.metadata.generation,
    ...withoutZeros({
      replicas: counts.replicas,
      updatedReplicas: counts.updated,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      unavailableReplicas: Math.max(0, counts.wanted - counts.available),
    }),
    conditions: withConditions(deployment.status?.conditions, conditions),
  };
  return { status, lookAgainMs };
}

/** The API leaves a zero out, and kubectl reads a missing number as zero. */
function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function availability({ wanted, available }: Counts): Condition {
  const isAvailable = available >= wanted;
  return {
    type: 'Available',
    status: asStatus(isAvailable),
    reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
  };
}

interface Progress {
  readonly condition: Condition | undefined;
  readonly lookAgainMs?: number;
}

function progressing(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  counts: Counts,
): Progress {
  if (!current) return { condition: undefined };
  const before = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  const { name } = current.metadata;
  if (isComplete(counts)) {
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    return { condition: moved(before, 'NewReplicaSetAvailable', message) };
  }
  if (before && isSettled(before, name)) return { condition: before };
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  const { wanted, replicas, updated, available } = counts;
  const state = `${updated} of ${wanted} updated, ${available} available, ${replicas} in all`;
  const message = `ReplicaSet "${name}" is progressing: ${state}.`;
  const condition = moved(before, 'ReplicaSetUpdated', message);
  const leftMs = Date.parse(condition.lastUpdateTime) + deadlineMs - Date.now();
  if (leftMs > 0) return { condition, lookAgainMs: leftMs + 1000 };
  return { condition: timedOut(name) };
}

/** Rolled out once is rolled out (a Pod that fails later says so in Available), and late is late. */
function isSettled({ reason, message = '' }: Condition, name: string): boolean {
  const isLast = reason === 'NewReplicaSetAvailable' || reason === timeoutReason;
  return isLast && message.includes(`"${name}"`);
}

function isComplete({ wanted, replicas, updated, available }: Counts): boolean {
  return updated === wanted && replicas === wanted && available === wanted;
}

function moved(
  before: Condition | undefined,
  reason: string,
  message: string,
): Condition & { lastUpdateTime: string } {
  const isSame = before?.reason === reason && before.message === message;
  const lastUpdateTime = (isSame ? before.lastUpdateTime : undefined) ?? timestamp();
  return { type: 'Progressing', status: 'True', reason, message, lastUpdateTime };
}

function timedOut(name: string): Condition {
  const message = `ReplicaSet "${name}" has timed out progressing.`;
  const lastUpdateTime = timestamp();
  return { type: 'Progressing', status: 'False', reason: timeoutReason, message, lastUpdateTime };
}
