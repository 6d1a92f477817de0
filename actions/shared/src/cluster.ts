import { InputError, TimeoutError } from '@reposure/core';
import { KubeconfigError, KubernetesError, openCluster } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import type { Step } from './step.ts';

/** What a step's inputs say of the cluster. */
export interface ClusterWay {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Milliseconds for all of the work. */
  readonly timeout: number;
}

/** More about the time that work with a cluster may take. */
export interface ClusterPatience {
  /** Milliseconds beyond it, for work that keeps the time itself, and says better what took so long. */
  readonly graceMs?: number;
}

/**
 * Works with the cluster that the inputs name, and closes it afterwards.
 *
 * @param work Gets a signal that is aborted by cancellation and when the time is over.
 * @throws {TimeoutError} if it takes longer than the inputs allow.
 */
export async function withCluster<T>(
  inputs: ClusterWay,
  { kubeconfig, log, signal: cancelled }: Pick<Step, 'kubeconfig' | 'log' | 'signal'>,
  work: (cluster: KubernetesClient, signal: AbortSignal) => Promise<T>,
  { graceMs = 0 }: ClusterPatience = {},
): Promise<T> {
  const late = AbortSignal.timeout(inputs.timeout + graceMs);
  const { context } = inputs;
  let cluster: KubernetesClient | undefined;
  try {
    cluster = await openCluster({ kubeconfig, context, log });
    return await work(cluster, AbortSignal.any([cancelled, late]));
  } catch (cause) {
    cancelled.throwIfAborted();
    if (late.aborted) {
      throw new TimeoutError(
        `Cannot finish within ${inputs.timeout / 1000} s; the input "timeout" gives it longer`,
        { cause },
      );
    }
    throw underInput(cause);
  } finally {
    cluster?.close();
  }
}

/** Says by which input what is wrong with the way to the cluster can be mended. */
export function underInput(cause: unknown): unknown {
  if (cause instanceof KubeconfigError) {
    return new InputError('Cannot use the input "kubeconfig" with the input "context"', { cause });
  }
  if (cause instanceof KubernetesError && cause.status === 401) {
    return new InputError(
      'Cannot log in to the cluster: it does not accept the login of the input "kubeconfig", which may have expired',
      { cause },
    );
  }
  return cause;
}
