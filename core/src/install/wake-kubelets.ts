import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';

const annotation = 'reposure.puccini.cloud/secrets-changed';

/**
 * Touches the Pods of a namespace that read the simple registry's Secrets: its own, and surrogates.
 * A kubelet that sees a Pod change looks at its Secrets at once, and not only at its next round,
 * which may be two minutes away. Best effort: it only saves time.
 *
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#mounted-configmaps-are-updated-automatically
 */
export async function wakeKubelets(kubernetes: KubernetesClient, namespace: string): Promise<void> {
  const labelSelector = `app.kubernetes.io/name in (${names.simple},reposure-surrogate)`;
  const { apiVersion, kind } = resourceTypes.Pod;
  try {
    const { items } = await kubernetes.list(resourceTypes.Pod, { namespace, labelSelector });
    for (const pod of items) {
      const { metadata } = pod;
      const annotations = { ...metadata.annotations, [annotation]: new Date().toISOString() };
      // Items of a list do not say what they are.
      await kubernetes.replace({
        ...pod,
        apiVersion,
        kind,
        metadata: { ...metadata, annotations },
      });
    }
  } catch (error) {
    // Whoever may not, or was slower than a Pod's own changes, waits for the kubelet.
    if (!(error instanceof KubernetesError)) throw error;
  }
}
