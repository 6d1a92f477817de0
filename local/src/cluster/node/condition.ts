import { timestamp } from '../api/store.ts';
import type { Condition } from './objects.ts';

/** A list of conditions with these in it; the time of a condition changes only with its status. */
export function withConditions(
  before: readonly Condition[] | undefined,
  now: readonly Condition[],
): Condition[] {
  const kept = (before ?? []).filter(({ type }) => !now.some((each) => each.type === type));
  return [...kept, ...now.map((condition) => settled(before, condition))];
}

function settled(before: readonly Condition[] | undefined, condition: Condition): Condition {
  const known = before?.find(({ type }) => type === condition.type);
  const isSame = known?.status === condition.status;
  const since = isSame ? known.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: since ?? timestamp() };
}

/** The status of a condition, from a boolean. */
export function asStatus(holds: boolean): 'True' | 'False' {
  return holds ? 'True' : 'False';
}

/** Whether a condition is there and true. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
}
