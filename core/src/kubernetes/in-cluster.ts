import { access, readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import type { Access } from './access.ts';
import { Cluster, User } from './kubeconfig-schema.ts';

/** @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const mountedAt = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The way to the cluster of the Pod that we run in; `undefined` outside of one. */
export async function inCluster(
  env: Readonly<Record<string, string | undefined>>,
  folder = mountedAt,
): Promise<Access | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'] || '443';
  const tokenFile = join(folder, 'token');
  if (!host || !(await isThere(tokenFile))) return undefined;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '');
  return {
    source: `the Pod's ServiceAccount in ${folder}`,
    contextName: 'in-cluster',
    clusterName: 'in-cluster',
    userName: 'service-account',
    namespace: namespace.trim() || 'default',
    server,
    cluster: Cluster.parse({ server, 'certificate-authority': join(folder, 'ca.crt') }),
    user: User.parse({ tokenFile }),
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
