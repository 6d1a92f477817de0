import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { collect } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import type { ProgramTable } from '@reposure/local/cluster';

/** The folder of the sample application. */
export const sampleApp = fileURLToPath(new URL('../../examples/app', import.meta.url));

/** What the image of a version is called in the embedded cluster, where no registry has it. */
export function referenceOf(version: string): string {
  const digest = version.codePointAt(0)?.toString(16).padStart(64, '0');
  return `registry.test:5000/team/hello-${version}@sha256:${digest}`;
}

/** The program that the embedded cluster runs for that image. @param failure How it fails, if it does. */
export function programOf(version: string, failure = ''): ProgramTable {
  return {
    [referenceOf(version)]: {
      mapped: true,
      command: () => [process.execPath, join(sampleApp, 'server.mjs')],
      environment: () => ({ VERSION: version, ...(failure ? { FAILS: failure } : {}) }),
    },
  };
}

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
