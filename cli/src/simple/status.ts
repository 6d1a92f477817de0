import { simpleHosts, simpleStatus } from '@reposure/core/install';
import type { SimpleStatus } from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import { withCluster } from '../environment.ts';
import { print } from '../output.ts';
import { describeHosts } from './install.ts';

/** `simple status` */
export async function statusAction(_: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async ({ cluster, namespace, format }) => {
    const status = await simpleStatus(cluster, namespace);
    await print(format, {
      value: status,
      names: [`deployment.apps/${names.simple}`],
      text: describe(status),
    });
  });
}

function describe(status: SimpleStatus): string {
  const { namespace, image, replicas, availableReplicas, tls, users } = status;
  const storage = {
    temporary: 'in the Pod, and gone with it',
    volume: `PersistentVolumeClaim ${names.simple}`,
    s3: `bucket ${status.bucket ?? ''}`,
  };
  return [
    `Simple registry in namespace "${namespace}": ${availableReplicas} of ${replicas} Pods serve, ${image ?? ''}`,
    ...describeHosts(status),
    `Images: ${storage[status.storage]}`,
    `TLS: ${tls ? describeTls(tls) : 'none; plain HTTP'}`,
    `Login: ${users === undefined ? 'none; everybody is let in' : `${users} ${users === 1 ? 'user' : 'users'}`}`,
    ...(status.isReadOnly ? ['Read-only: garbage is being collected'] : []),
  ].join('\n');
}

function describeTls({ secret, expiresAt, authority }: NonNullable<SimpleStatus['tls']>): string {
  const certificate = `Secret ${secret}, good until ${expiresAt ?? 'unknown: it holds no certificate'}`;
  if (authority === undefined) return certificate;
  const phases = {
    steady: '',
    announced: '; the next CA is being made known',
    replaced: '; the previous CA is still trusted',
  };
  const { expiresAt: until = 'unknown', phase } = authority;
  return `${certificate}; its CA until ${until}${phases[phase]}`;
}

/** `simple host` */
export async function hostAction(_: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async ({ cluster, namespace, format }) => {
    const hosts = await simpleHosts(cluster, namespace);
    const host = hosts.pullHost ?? hosts.ingressHost ?? hosts.pushHost;
    await print(format, { value: { host, ...hosts }, names: [host], text: host });
  });
}
