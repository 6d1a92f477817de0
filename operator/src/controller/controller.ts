import { explain } from '@reposure/core';

import { AppliedObjects } from './applied-objects.ts';
import type { Metrics } from './metrics.ts';
import { OtherOperators } from './other-operators.ts';
import { reconcile } from './reconcile.ts';
import type { Outcome, ReconcileContext } from './reconcile.ts';
import type { RegistryKey } from './registry-key.ts';
import { watchInto } from './watches.ts';
import { WorkQueue } from './work-queue.ts';

/** What the controller works with, until its signal. */
export interface ControllerOptions extends Omit<ReconcileContext, 'applied'> {
  /** The operator's own. */
  readonly namespace: string;
  /** Its own namespace alone otherwise. */
  readonly allNamespaces?: boolean | undefined;
  readonly metrics: Metrics;
  readonly onSynced: () => void;
}

/** What the workers share. */
interface Shop extends ControllerOptions {
  readonly queue: WorkQueue;
  readonly applied: AppliedObjects;
  readonly others: OtherOperators;
}

/**
 * So that one registry that does not answer keeps no other waiting. Each asks the API one thing at
 * a time: no more requests than workers are ever under way, beside the watches and the Lease.
 */
const workers = 8;
/** Of the time until the next look: those that began together need not go on together. */
const jitter = 0.1;

/** Reconciles every Registry of a namespace, or of all, until the signal. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { signal, metrics } = options;
  const [queue, applied, others] = [new WorkQueue(), new AppliedObjects(), new OtherOperators()];
  const shop = { ...options, queue, applied, others };
  metrics.watchQueue(() => queue.depth);
  signal.addEventListener('abort', () => queue.close(), { once: true });
  if (signal.aborted) queue.close();
  // Before the first Registry: it may be somebody else's.
  const { promise: othersKnown, resolve } = Promise.withResolvers<void>();
  const following = options.allNamespaces ? followOthers(shop, resolve) : undefined;
  if (following !== undefined) await Promise.race([othersKnown, following]);
  await Promise.all([
    following,
    watchInto({ ...shop, namespace: options.allNamespaces ? undefined : options.namespace }),
    ...Array.from({ length: workers }, () => work(shop)),
  ]);
}

async function followOthers(shop: Shop, onSynced: () => void): Promise<void> {
  const onFreed = (key: RegistryKey): void => shop.queue.add(key);
  await shop.others.follow({ ...shop, onFreed }, onSynced);
}

async function work(shop: Shop): Promise<void> {
  const { queue } = shop;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await workOn(key, shop);
    queue.done(key);
  }
}

async function workOn(key: RegistryKey, shop: Shop): Promise<void> {
  const { queue, metrics, log, signal } = shop;
  const startedAtMs = performance.now();
  const count = (result: 'success' | 'error'): void =>
    metrics.reconciled(result, (performance.now() - startedAtMs) / 1000);
  try {
    const outcome = shop.others.leave(key) ? undefined : await reconcile(key, shop);
    count('success');
    settle(key, outcome, shop);
  } catch (error) {
    if (signal.aborted) return;
    count('error');
    metrics.retried();
    const delayMs = queue.retry(key);
    log.warn(`Registry ${key}: ${explain(error)}; trying again in ${delayMs} ms`);
  }
}

function settle(key: RegistryKey, outcome: Outcome | undefined, shop: Shop): void {
  const { queue, metrics, applied } = shop;
  queue.forget(key);
  metrics.show(key, outcome?.ready);
  if (outcome === undefined) applied.forget(key);
  else queue.addAfter(key, outcome.againMs * (1 - jitter + 2 * jitter * Math.random()));
}
