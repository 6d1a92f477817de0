import { setTimeout as delay } from 'node:timers/promises';

import { explain, ReposureError, TimeoutError } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import { LeaseLock } from './lease-lock.ts';

const defaultRetryEveryMs = 2000;
const defaultRenewWithinMs = 10_000;

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
  /** For the work to end once the lease is lost: 2 s by default, so that it is over before the lease is. */
  readonly endWithinMs?: number;
}

/**
 * Works while this operator holds the lease; waits for it before.
 *
 * @param work Gets a signal that is aborted when the lease is lost, or `options.signal` is.
 * @throws {LeadershipLostError} if the lease could not be renewed in time; work that does not end
 * soon is left behind, and only the end of the process ends it.
 */
export async function lead(
  options: LeaderOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { namespace, identity, log, signal, renewWithinMs = defaultRenewWithinMs } = options;
  const lock = new LeaseLock(options.kubernetes, namespace, identity);
  const heldAtMs = await take(lock, options);
  if (heldAtMs === undefined) return;
  log.info(`Leading in namespace ${namespace} as ${identity}`);
  const lost = new AbortController();
  const finished = new AbortController();
  const working = work(AbortSignal.any([signal, lost.signal]));
  working.catch(() => {}).finally(() => finished.abort());
  const loss = await renew(lock, options, heldAtMs, finished.signal);
  if (loss !== undefined) {
    lost.abort(loss);
    await pause(options.endWithinMs ?? 2000, finished.signal);
    throw loss;
  }
  await working;
  await within(renewWithinMs, lock.release()).catch((error: unknown) => {
    log.warn(`The next operator must wait until the lease expires: ${explain(error)}`);
  });
}

/** Waits for the lease. @returns Since when it is held at least; `undefined` if told to stop. */
async function take(lock: LeaseLock, options: LeaderOptions): Promise<number | undefined> {
  const { signal, retryEveryMs = defaultRetryEveryMs } = options;
  for (;;) {
    const askedAtMs = performance.now();
    const isHeld = await turn(lock, options, options.renewWithinMs ?? defaultRenewWithinMs);
    if (isHeld) return askedAtMs;
    await pause(retryEveryMs, signal);
    if (signal.aborted) return undefined;
  }
}

/** Keeps the lease until the work is finished. @returns What to end with if it could not. */
async function renew(
  lock: LeaseLock,
  options: LeaderOptions,
  heldSinceMs: number,
  finished: AbortSignal,
): Promise<LeadershipLostError | undefined> {
  const { retryEveryMs = defaultRetryEveryMs, renewWithinMs = defaultRenewWithinMs } = options;
  let heldAtMs = heldSinceMs;
  const leftMs = (): number => heldAtMs + renewWithinMs - performance.now();
  for (;;) {
    await pause(Math.min(retryEveryMs, Math.max(0, leftMs())), finished);
    if (finished.aborted) return undefined;
    const where = `in namespace ${options.namespace}`;
    if (leftMs() <= 0) {
      return new LeadershipLostError(`Cannot renew the lease ${where} in time: another may lead`);
    }
    // From before it was asked for: others may count from then.
    const askedAtMs = performance.now();
    if (await turn(lock, options, leftMs())) heldAtMs = askedAtMs;
  }
}

async function turn(
  lock: LeaseLock,
  { log, onTurn }: LeaderOptions,
  withinMs: number,
): Promise<boolean> {
  try {
    return await within(withinMs, lock.acquire());
  } catch (error) {
    log.warn(`Cannot look at the lease: ${explain(error)}`);
    return false;
  } finally {
    onTurn?.();
  }
}

/** The client's own patience is longer than a lease. */
async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const overdue = delay(timeoutMs, undefined, { signal: answered.signal }).then(() => {
    throw new TimeoutError(`no answer within ${Math.round(timeoutMs)} ms`);
  });
  try {
    return await Promise.race([answer, overdue]);
  } finally {
    answered.abort();
  }
}

async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  // An abort ends the pause; whoever called sees it.
  await delay(pauseMs, undefined, { signal }).catch(() => {});
}
