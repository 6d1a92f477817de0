import { setTimeout as delay } from 'node:timers/promises';

import { explain, ReposureError } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import { LeaseLock } from './lease-lock.ts';

/** Another operator may be at work: whoever loses the lease must end at once. */
export class LeadershipLostError extends ReposureError {
  override readonly name = 'LeadershipLostError';
  readonly code = 'CLUSTER_RESPONSE';
}

/** Who wants to lead, and where. */
export interface LeaderOptions {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  /** Differs between any two operators: the Pod's name. */
  readonly identity: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told after each look at the lease, however it ended. */
  readonly onTurn?: () => void;
  /** client-go's 2 s by default. */
  readonly retryEveryMs?: number;
  /** client-go's 10 s by default; less than the 15 s of the lease. */
  readonly renewWithinMs?: number;
}

/**
 * Works while this operator holds the lease; waits for it before.
 *
 * @param work Gets a signal that is aborted when the lease is lost, or `options.signal` is.
 * @throws {LeadershipLostError} if the lease could not be renewed in time.
 */
export async function lead(
  options: LeaderOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { namespace, identity, log, signal } = options;
  const lock = new LeaseLock(options.kubernetes, namespace, identity);
  while (!(await turn(lock, options))) {
    await pause(options, signal);
    if (signal.aborted) return;
  }
  log.info(`Leading in namespace ${namespace} as ${identity}`);
  const lost = new AbortController();
  const finished = new AbortController();
  const working = work(AbortSignal.any([signal, lost.signal])).finally(() => finished.abort());
  await Promise.all([working, renew(lock, options, lost, finished.signal)]);
  if (lost.signal.aborted) throw lost.signal.reason;
  await lock.release().catch((error: unknown) => {
    log.warn(`The next operator must wait until the lease expires: ${explain(error)}`);
  });
}

async function renew(
  lock: LeaseLock,
  options: LeaderOptions,
  lost: AbortController,
  finished: AbortSignal,
): Promise<void> {
  const stop = AbortSignal.any([options.signal, finished]);
  const { renewWithinMs = 10_000 } = options;
  let heldAtMs = performance.now();
  for (;;) {
    await pause(options, stop);
    if (stop.aborted) return;
    if (await turn(lock, options)) heldAtMs = performance.now();
    if (performance.now() - heldAtMs < renewWithinMs) continue;
    const where = `in namespace ${options.namespace}`;
    lost.abort(
      new LeadershipLostError(`Cannot renew the lease ${where} in time: another may lead`),
    );
    return;
  }
}

async function turn(lock: LeaseLock, { log, onTurn }: LeaderOptions): Promise<boolean> {
  try {
    return await lock.acquire();
  } catch (error) {
    log.warn(`Cannot look at the lease: ${explain(error)}`);
    return false;
  } finally {
    onTurn?.();
  }
}

async function pause({ retryEveryMs = 2000 }: LeaderOptions, signal: AbortSignal): Promise<void> {
  // An abort ends the pause; whoever called sees it.
  await delay(retryEveryMs, undefined, { signal }).catch(() => {});
}
