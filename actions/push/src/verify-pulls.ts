import { randomUUID } from 'node:crypto';

import type { Step } from '@reposure/action-shared';
import { InputError } from '@reposure/core';
import { checkPull, removePullCheck } from '@reposure/core/deploy';
import { openCluster } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { digestReferenceOf } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';
import * as z from 'zod';

import type { Inputs } from './inputs.ts';

/** Where a Pod is that `post` has to remove if `main` is killed. */
const Left = z.object({
  name: z.string(),
  namespace: z.string(),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
});

/** Has a node pull each image that was pushed. @throws {NotFoundError} that says why it cannot. */
export async function verifyPulls(
  cluster: KubernetesClient,
  results: readonly TransferResult[],
  inputs: Inputs,
  { kubeconfig, log, save, signal }: Step,
): Promise<void> {
  const { context, timeout: timeoutMs, namespace = cluster.namespace } = inputs;
  for (const result of results) {
    if (result.pullRefs.length === 0) {
      throw new InputError(
        `Cannot use the input "verify-pull": the Registry does not say by which name nodes pull; see \`reposure registry describe ${inputs.registry}\``,
      );
    }
    const image = digestReferenceOf(result);
    const pod = `reposure-pull-check-${randomUUID().slice(0, 8)}`;
    save('pod', JSON.stringify({ name: pod, namespace, kubeconfig, context }));
    await checkPull(cluster, { image, namespace, pod, timeoutMs, signal });
    log.info(`A node has pulled ${image}`);
  }
  save('pod', '');
}

/** Removes the Pod that a killed step has left. @param state As it was saved. */
export async function removeLeftPod(state: string): Promise<void> {
  const { name, namespace, ...access } = Left.parse(JSON.parse(state));
  const cluster = await openCluster(access);
  try {
    await removePullCheck(cluster, name, namespace);
  } finally {
    cluster.close();
  }
}
