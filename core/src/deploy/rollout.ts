import { setTimeout as delay } from 'node:timers/promises';

import { explain, isTransient, TimeoutError } from '../errors.ts';
import { KubernetesError, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import type { RolloutFailure } from './deploy-result.ts';
import { diagnose } from './diagnosis.ts';
import { describeManifest } from './manifest.ts';
import { troubleOf } from './pod-trouble.ts';
import { isWaitable, readinessOf } from './readiness.ts';
import type { Waitable } from './readiness.ts';
import { newestPodsOf } from './workload-pods.ts';

/** How long objects are waited for. */
export interface RolloutOptions {
  readonly timeoutMs: number;
  /** How long a Pod may fail to pull or to start before the rollout counts as failed. */
  readonly stuckAfterMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is waited for: an object as it was applied. */
export interface Awaited {
  readonly object: KubernetesObject;
  readonly type: ResourceType;
}

/** Pods that are stuck are looked for this often. */
const lookEveryMs = 2000;

/**
 * Waits until everything that was applied is as it should be.
 *
 * @returns What is not, and why; nothing if all is well. Who is stuck is not waited for any longer.
 */
export async function waitForRollouts(
  kubernetes: KubernetesClient,
  objects: readonly Awaited[],
  options: RolloutOptions,
): Promise<RolloutFailure[]> {
  const waited = objects.filter(({ object }) => isWaitable(object));
  const outcomes = await Promise.all(
    waited.map((awaited) => waitForOne(kubernetes, awaited, options)),
  );
  options.signal?.throwIfAborted();
  return outcomes.filter((failure) => failure !== undefined);
}

async function waitForOne(
  kubernetes: KubernetesClient,
  awaited: Awaited,
  options: RolloutOptions,
): Promise<RolloutFailure | undefined> {
  const over = new AbortController();
  const { signal: given } = options;
  const signal = given ? AbortSignal.any([given, over.signal]) : over.signal;
  try {
    await Promise.race([
      untilReady(kubernetes, awaited, { ...options, signal }),
      untilStuck(kubernetes, awaited.object, { ...options, signal }),
    ]);
    return undefined;
  } catch (error) {
    given?.throwIfAborted();
    const state = error instanceof NotReady ? error.message : explain(error);
    const cause = await diagnose(kubernetes, await current(kubernetes, awaited));
    const reason = cause === undefined ? state : `${state}: ${cause}`;
    return { object: describeManifest(awaited.object), reason };
  } finally {
    over.abort();
  }
}

/** Ends a wait; said to nobody as it stands. */
class NotReady extends Error {
  override readonly name = 'NotReady';
}

async function untilReady(
  kubernetes: KubernetesClient,
  { object, type }: Awaited,
  { timeoutMs, signal }: RolloutOptions,
): Promise<void> {
  const { name, namespace, generation = 0 } = object.metadata;
  let state = 'nothing is known of it';
  try {
    await waitFor<Waitable>(
      kubernetes,
      type,
      { name, namespace },
      {
        until: (seen) => {
          if (!seen) throw new NotReady('somebody has deleted it');
          const readiness = readinessOf(seen);
          if ((seen.metadata.generation ?? 0) < generation) return false;
          if (readiness.state === 'failed') throw new NotReady(readiness.reason);
          if (readiness.state === 'waiting') state = readiness.reason;
          return readiness.state === 'ready';
        },
        describe: () => state,
        timeoutMs,
        signal,
      },
    );
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw new NotReady(`after ${timeoutMs / 1000} s, ${state}`);
  }
}

/** Fails when one and the same kind of trouble has lasted; returns only when nobody waits any more. */
async function untilStuck(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  { stuckAfterMs, signal }: RolloutOptions & { readonly signal: AbortSignal },
): Promise<never> {
  let [since, kind] = [performance.now(), ''];
  for (;;) {
    const found = await stuckKindOf(kubernetes, object, signal);
    if (found !== kind) [since, kind] = [performance.now(), found];
    if (kind !== '' && performance.now() - since >= stuckAfterMs) {
      throw new NotReady('its new Pods do not start');
    }
    await delay(Math.min(lookEveryMs, Math.max(stuckAfterMs / 4, 50)), undefined, { signal });
  }
}

async function stuckKindOf(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<string> {
  try {
    const found = await newestPodsOf(kubernetes, object, signal);
    const troubles = found?.pods.map(troubleOf).filter((trouble) => trouble?.isStuck) ?? [];
    return troubles[0]?.kind ?? '';
  } catch (error) {
    // Whoever may not see Pods waits for the workload alone.
    if (error instanceof KubernetesError || isTransient(error)) return '';
    throw error;
  }
}

async function current(
  kubernetes: KubernetesClient,
  { object, type }: Awaited,
): Promise<KubernetesObject> {
  const { name, namespace } = object.metadata;
  try {
    return await kubernetes.get<KubernetesObject>(type, name, namespace);
  } catch {
    return object;
  }
}
