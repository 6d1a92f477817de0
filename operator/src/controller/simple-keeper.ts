import { setTimeout as delay } from 'node:timers/promises';

import type { Log } from '@reposure/core';
import { maintainSimple } from '@reposure/core/install';
import type { KubernetesClient } from '@reposure/core/kubernetes';

/** What the keeper works with, until its signal. */
export interface SimpleKeeperOptions {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const everyMs = 60_000;

/** Looks after the simple registry of a namespace once a minute; for the operator that leads. */
export async function keepSimple({
  kubernetes,
  namespace,
  log,
  signal,
}: SimpleKeeperOptions): Promise<void> {
  while (!signal.aborted) {
    await maintainSimple(kubernetes, namespace, { log });
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
