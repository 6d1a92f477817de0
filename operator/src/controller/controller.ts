import { explain } from '@reposure/core';

import { reconcile } from './reconcile.ts';
import type { ReconcileContext } from './reconcile.ts';
import { watchInto } from './watches.ts';
import { WorkQueue } from './work-queue.ts';

/** What the controller works with, until its signal. */
export interface ControllerOptions extends ReconcileContext {
  readonly onSynced: () => void;
}

/** So that one registry that does not answer keeps no other waiting. */
const workers = 4;

/** Reconciles every Registry of a namespace, until the signal. */
export async function runController(options: ControllerOptions): Promise<void> {
  const queue = new WorkQueue();
  const { signal } = options;
  signal.addEventListener('abort', () => queue.close(), { once: true });
  if (signal.aborted) queue.close();
  await Promise.all([
    watchInto({ ...options, queue }),
    ...Array.from({ length: workers }, () => work(queue, options)),
  ]);
}

async function work(queue: WorkQueue, context: ControllerOptions): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await workOn(key, queue, context);
    queue.done(key);
  }
}

async function workOn(key: string, queue: WorkQueue, context: ControllerOptions): Promise<void> {
  const { namespace, log, signal } = context;
  try {
    const againMs = await reconcile(key, context);
    queue.forget(key);
    if (againMs !== undefined) queue.addAfter(key, againMs);
  } catch (error) {
    if (signal.aborted) return;
    const delayMs = queue.retry(key);
    log.warn(`Registry ${namespace}/${key}: ${explain(error)}; trying again in ${delayMs} ms`);
  }
}
