import { fileURLToPath } from 'node:url';

import { collect } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';

/** The folder of the sample application. */
export const sampleApp = fileURLToPath(new URL('../../examples/app', import.meta.url));

/** The version of the sample application that answers behind its Service. */
export async function versionAt(kubernetes: KubernetesClient, namespace: string): Promise<string> {
  const { body } = await kubernetes.requestService({
    namespace,
    service: 'hello:80',
    method: 'GET',
    path: '/',
    headers: async () => ({}),
    isFromService: () => true,
  });
  const { version } = JSON.parse((await collect(body, 'the answer', 1024)).toString()) as {
    version: string;
  };
  return version;
}

/** What its Pods run and mount, and what nodes say of it, as text: images and their digests. */
export async function runningImages(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<string> {
  const labelSelector = 'app.kubernetes.io/name=hello';
  const options = { namespace, labelSelector };
  const pods = await kubernetes.list<KubernetesObject>(resourceTypes.Pod, options);
  return JSON.stringify(pods.items.map(({ spec, status }) => ({ spec, status })));
}
