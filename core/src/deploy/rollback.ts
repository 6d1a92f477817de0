import { explain } from '../errors.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import type { Applied } from './apply-steps.ts';
import type { RollbackOutcome } from './deploy-result.ts';
import { isPrecious } from './deploy-set.ts';
import { describeManifest } from './manifest.ts';
import { appliedFields, configurationOf, unionOf } from './owned-fields.ts';
import { waitForRollouts } from './rollout.ts';
import type { Awaited, RolloutOptions } from './rollout.ts';

/** How what was applied is taken back. */
export interface RollbackOptions extends RolloutOptions {
  readonly fieldManager: string;
  readonly log: Log;
}

/**
 * Takes back what was applied: what was changed is as it was before, and what was made is gone,
 * except for namespaces, definitions and volume claims.
 *
 * Fields that only others manage, such as the replicas that an autoscaler sets, stay as they are now.
 *
 * @returns What became of it; never throws, so that the first failure is the one that is told.
 */
export async function rollBack(
  kubernetes: KubernetesClient,
  applied: readonly Applied[],
  options: RollbackOptions,
): Promise<RollbackOutcome> {
  const changed = applied.filter(({ change }) => change === 'configured');
  const made = applied.filter(({ change, object }) => change === 'created' && !isPrecious(object));
  try {
    const restored: Awaited[] = [];
    for (const each of changed) restored.push(await restore(kubernetes, each, options));
    for (const each of made.toReversed()) await remove(kubernetes, each, options);
    const failures = await waitForRollouts(kubernetes, restored, options);
    if (failures.length > 0) {
      return {
        state: 'failed',
        reason: failures.map(({ object, reason }) => `${object}: ${reason}`).join('; '),
      };
    }
    return {
      state: 'done',
      objects: [
        ...changed.map(({ object }) => describeManifest(object)),
        ...made.map(({ object }) => `${describeManifest(object)} (deleted)`),
      ],
    };
  } catch (error) {
    return { state: 'failed', reason: explain(error) };
  }
}

async function restore(
  kubernetes: KubernetesClient,
  { step, object: after }: Applied,
  { fieldManager, log, signal }: RollbackOptions,
): Promise<Awaited> {
  const before = step.live as KubernetesObject;
  const fields = unionOf(appliedFields(before, fieldManager), appliedFields(after, fieldManager));
  const object = await kubernetes.apply(configurationOf(before, fields), {
    fieldManager,
    force: true,
    signal,
  });
  log.info(`Rolled back ${describeManifest(object)}`);
  return { object, type: step.type };
}

async function remove(
  kubernetes: KubernetesClient,
  { step, object }: Applied,
  { log }: RollbackOptions,
): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  await kubernetes.delete(step.type, name, namespace, uid === undefined ? {} : { uid });
  log.info(`Deleted ${describeManifest(object)}, which was not there before`);
}
