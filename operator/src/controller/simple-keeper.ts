import { setTimeout as delay } from 'node:timers/promises';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import { maintainSimple } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

/** What the keeper works with, until its signal. */
export interface SimpleKeeperOptions {
  readonly kubernetes: KubernetesClient;
  /** The operator's own. */
  readonly namespace: string;
  /** Its own namespace alone otherwise. */
  readonly allNamespaces?: boolean | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const everyMs = 60_000;

/** Looks after the simple registries that it serves, once a minute; for the operator that leads. */
export async function keepSimple(options: SimpleKeeperOptions): Promise<void> {
  const { kubernetes, log, signal } = options;
  while (!signal.aborted) {
    for (const namespace of await servedBy(options)) {
      if (!signal.aborted) await maintainSimple(kubernetes, namespace, { log });
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** Those that have an operator of their own are left to it. */
async function servedBy(options: SimpleKeeperOptions): Promise<readonly string[]> {
  const { kubernetes, namespace: own, allNamespaces = false, log } = options;
  if (!allNamespaces) return [own];
  try {
    const found = await namespacesWith(names.simple, kubernetes);
    const others = await namespacesWith(names.operator, kubernetes);
    return [...found].filter((each) => each === own || !others.has(each));
  } catch (error) {
    log.warn(`Cannot look for simple registries: ${explain(error)}; trying again in a minute`);
    return [];
  }
}

async function namespacesWith(
  deployment: string,
  kubernetes: KubernetesClient,
): Promise<ReadonlySet<string>> {
  const fieldSelector = `metadata.name=${deployment}`;
  const { items } = await kubernetes.list(resourceTypes.Deployment, { fieldSelector });
  return new Set(items.map(({ metadata }) => metadata.namespace ?? ''));
}
