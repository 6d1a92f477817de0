import { randomBytes } from 'node:crypto';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import { KubernetesError } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';

/** What happened to a Registry, for `kubectl describe`. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes an Event about a Registry.
 *
 * Never fails: an Event tells of the work and is no part of it.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export async function recordEvent(
  kubernetes: KubernetesClient,
  registry: Registry,
  { type, reason, message }: Happening,
  log: Log,
): Promise<void> {
  const { name, namespace, uid = '', resourceVersion = '' } = registry.metadata;
  const now = new Date().toISOString();
  const event: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: {
      apiVersion: registry.apiVersion,
      kind: registry.kind,
      name,
      namespace,
      uid,
      resourceVersion,
    },
    type,
    reason,
    message,
    action: reason,
    source: { component: names.operator },
    reportingComponent: names.operator,
    reportingInstance: names.operator,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
  try {
    await kubernetes.create(event);
  } catch (error) {
    // Nobody reads the Events of a namespace that is about to go.
    if (error instanceof KubernetesError && error.isNamespaceTerminating) return;
    log.warn(`No Event "${reason}" about Registry ${namespace}/${name}: ${explain(error)}`);
  }
}
