import { isDeepStrictEqual } from 'node:util';

import { isPodReady } from '@reposure/core/install';
import { ResolutionError } from '@reposure/core/providers';
import { conditionOf, names } from '@reposure/core/resource';
import type { Registry, RegistryStatus } from '@reposure/core/resource';

import { conditionsOf, verdictsOf } from './conditions.ts';
import type { Observation } from './conditions.ts';
import type { Happening } from './event-recorder.ts';

/** The status that a Registry should have, after what was seen. @param now RFC 3339 */
export function statusOf(registry: Registry, seen: Observation, now: string): RegistryStatus {
  const { generation = 0, name } = registry.metadata;
  const before = registry.status?.conditions ?? [];
  const conditions = conditionsOf(verdictsOf(seen, before, now), before, generation, now);
  // Nobody says that it is not there any more.
  if (seen.resolution === undefined) {
    return { ...registry.status, observedGeneration: generation, conditions };
  }
  if (seen.resolution instanceof ResolutionError) {
    return { observedGeneration: generation, conditions };
  }
  const { provider, pushHost, pullHost } = seen.resolution;
  return {
    observedGeneration: generation,
    provider,
    pushHost,
    ...(pullHost === undefined ? {} : { pullHost }),
    surrogatePod: names.surrogatePod(name),
    replicas: registry.spec.replicas ?? 1,
    readyReplicas: seen.pod !== undefined && isPodReady(seen.pod) ? 1 : 0,
    conditions,
  };
}

/** Whether there is something to write; writing what is there would wake every watcher. */
export function isStatusNews(registry: Registry, status: RegistryStatus): boolean {
  return !isDeepStrictEqual(normalised(registry.status), normalised(status));
}

/** Reasons for not being ready that are no fault, unless it was ready before and no rollout is the cause. */
const ordinary: ReadonlySet<string> = new Set(['SurrogateNotReady', 'Suspended']);

/**
 * What to tell of a Registry that became ready, or stopped being so, or has another reason for it.
 *
 * @param isRollout Its surrogate's Pod is being made.
 */
export function readinessNews(
  registry: Registry,
  status: RegistryStatus,
  isRollout: boolean,
): Happening | undefined {
  const before = conditionOf(registry, 'Ready');
  const after = conditionOf({ ...registry, status }, 'Ready');
  if (after === undefined) return undefined;
  if (before?.status === after.status && before.reason === after.reason) return undefined;
  const { reason, message } = after;
  const isOrdinary = (isRollout || before?.status !== 'True') && ordinary.has(reason);
  return { type: after.status === 'True' || isOrdinary ? 'Normal' : 'Warning', reason, message };
}

function normalised(status: RegistryStatus | undefined): unknown {
  const conditions = (status?.conditions ?? []).toSorted((a, b) => a.type.localeCompare(b.type));
  return { ...status, conditions };
}
