import { TimeoutError } from '../errors.ts';
import { resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, Pod } from '../kubernetes/index.ts';
import { selectorOf } from './labels.ts';
import { describePod, isPodReady } from './pod-state.ts';

/** How long, and until when, something is waited for. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** As much of a Deployment as says how far its rollout is. */
export interface Rollout extends KubernetesObject {
  spec?: { replicas?: number };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
  };
}

/**
 * Waits until every Pod of a Deployment is of its newest template, and available.
 *
 * @throws {TimeoutError} that says what keeps the Pods from being ready.
 */
export async function waitForRollout(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
  { timeoutMs, signal }: WaitOptions,
): Promise<void> {
  try {
    await waitFor<Rollout>(
      kubernetes,
      resourceTypes.Deployment,
      { name, namespace },
      {
        until: (deployment) => deployment !== undefined && isRolledOut(deployment),
        describe: describeRollout,
        timeoutMs,
        signal,
      },
    );
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const troubles = await troublesOf(kubernetes, name, namespace);
    throw new TimeoutError([error.message, ...troubles].join('; '), { cause: error });
  }
}

/** Whether every Pod is of the newest template, and available. */
export function isRolledOut({ metadata, spec, status }: Rollout): boolean {
  const wanted = spec?.replicas ?? 1;
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    status?.updatedReplicas === wanted &&
    status.availableReplicas === wanted &&
    status.replicas === wanted
  );
}

function describeRollout({ spec, status }: Rollout): string {
  return `${status?.availableReplicas ?? 0} of ${spec?.replicas ?? 1} Pods are available`;
}

/** Best effort: the time-out is the error, and the Pods only explain it. */
async function troublesOf(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<string[]> {
  const [[label, value] = ['', '']] = Object.entries(selectorOf(name));
  try {
    const pods = await kubernetes.list<Pod>(resourceTypes.Pod, {
      namespace,
      labelSelector: `${label}=${value}`,
    });
    return pods.items.filter((pod) => !isPodReady(pod)).map(describePod);
  } catch {
    return [];
  }
}
