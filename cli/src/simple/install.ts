import { InputError, parseDurationMs } from '@reposure/core';
import { installSimple } from '@reposure/core/install';
import type {
  ImagePullPolicy,
  SimpleHosts,
  SimpleStorage,
  SimpleTls,
} from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import type { WaitFlags } from '../commands/waiting.ts';
import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

/** What `simple install` takes, as commander hands it over. */
export interface InstallFlags extends GlobalOptions, WaitFlags {
  readonly tls?: true | string;
  readonly authentication?: boolean;
  readonly tlsSecret?: string;
  readonly login?: boolean;
  readonly authorization?: boolean;
  readonly nodePort?: true | string;
  readonly storage?: string;
  readonly storageClass?: string;
  readonly sizeLimit?: string;
  readonly s3Bucket?: string;
  readonly s3Endpoint?: string;
  readonly s3Region?: string;
  readonly s3Secret?: string;
  readonly s3Prefix?: string;
  readonly replicas?: number;
  readonly ingressHost?: string;
  readonly ingressClass?: string;
  readonly ingressTlsSecret?: string;
  readonly networkPolicy?: boolean;
  readonly allowNamespace?: readonly string[];
  readonly image?: string;
  readonly imagePullPolicy?: ImagePullPolicy;
  readonly imagePullSecret?: readonly string[];
}

/** `simple install` */
export async function installAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<InstallFlags>();
  const options = {
    tls: tlsOf(flags),
    login: flags.login ?? flags.authorization ?? false,
    storage: storageOf(flags),
    replicas: flags.replicas,
    nodePort: parseNodePort(flags.nodePort),
    ingress: ingressOf(flags),
    networkPolicy: networkPolicyOf(flags),
    image: flags.image,
    imagePullPolicy: flags.imagePullPolicy,
    imagePullSecrets: flags.imagePullSecret,
    wait: flags.wait,
    timeoutMs: parseDurationMs(flags.timeout),
  };
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const hosts = await installSimple(cluster, { namespace, ...options, log, signal });
    const state = flags.wait ? 'ready' : 'applied';
    await print(format, {
      value: { namespace, deployment: names.simple, state, ...hosts },
      names: [`deployment.apps/${names.simple}`],
      text: [`Simple registry ${state} in namespace "${namespace}"`, ...describeHosts(hosts)].join(
        '\n',
      ),
    });
  });
}

/** Who reaches it by which name, a line each. */
export function describeHosts({ pushHost, pullHost, ingressHost }: SimpleHosts): string[] {
  return [
    `Pods push to ${pushHost}`,
    pullHost ? `Nodes pull from ${pullHost}` : 'Nodes have no way to it; --node-port opens one',
    ...(ingressHost ? [`The Ingress serves ${ingressHost}`] : []),
  ];
}

/**
 * Which certificate the flags ask for.
 *
 * @throws {InputError} if they ask for two, or for one that we do not know.
 */
export function tlsOf(flags: InstallFlags): SimpleTls | undefined {
  const { tlsSecret, tls = flags.authentication } = flags;
  if (tlsSecret !== undefined) {
    if (typeof tls !== 'string') return { from: 'secret', name: tlsSecret };
    throw new InputError(`Cannot use both --tls=${tls} and --tls-secret: want one of them`);
  }
  if (typeof tls === 'string') return certManagerOf(tls);
  return tls === true ? { from: 'own-ca' } : undefined;
}

/** `cert-manager[:[KIND/]ISSUER]` */
function certManagerOf(text: string): SimpleTls {
  const [, issuer] = /^cert-manager(?::(.+))?$/.exec(text) ?? [];
  if (text === 'cert-manager') return { from: 'cert-manager' };
  const [, kind, name] =
    /^(?:(Issuer|ClusterIssuer)\/)?([a-z0-9][-a-z0-9.]*)$/.exec(issuer ?? '') ?? [];
  if (name === undefined) {
    throw new InputError(
      `Cannot use --tls=${text}: want --tls alone, cert-manager, cert-manager:ISSUER or cert-manager:ClusterIssuer/NAME`,
    );
  }
  return {
    from: 'cert-manager',
    issuer: { kind: kind === 'ClusterIssuer' ? kind : 'Issuer', name },
  };
}

/**
 * Where the flags want images to be kept.
 *
 * @throws {InputError} if they want it in two places, or name only a part of one.
 */
export function storageOf(flags: InstallFlags): SimpleStorage {
  const { storage: size, storageClass, sizeLimit, s3Bucket: bucket, s3Secret: secret } = flags;
  const given = Object.entries({
    '--storage': size,
    '--size-limit': sizeLimit,
    '--s3-bucket': bucket,
  }).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (given.length > 1) {
    throw new InputError(`Cannot use ${given.join(' and ')} together: want one place for images`);
  }
  requireWith('--storage-class', storageClass, '--storage', size);
  const { s3Endpoint, s3Region, s3Prefix } = flags;
  for (const [flag, value] of Object.entries({
    '--s3-endpoint': s3Endpoint,
    '--s3-region': s3Region,
    '--s3-prefix': s3Prefix,
    '--s3-secret': secret,
  })) {
    requireWith(flag, value, '--s3-bucket', bucket);
  }
  if (size !== undefined) return { kind: 'volume', size, storageClass };
  if (bucket === undefined) return { kind: 'temporary', sizeLimit };
  if (secret === undefined) {
    throw new InputError('Cannot use --s3-bucket: want --s3-secret, which names a Secret, with it');
  }
  return {
    kind: 's3',
    bucket,
    secret,
    endpoint: s3Endpoint,
    region: s3Region,
    prefix: s3Prefix,
  };
}

function ingressOf(flags: InstallFlags): { host: string } | undefined {
  const { ingressHost: host, ingressClass: className, ingressTlsSecret: tlsSecret } = flags;
  requireWith('--ingress-class', className, '--ingress-host', host);
  requireWith('--ingress-tls-secret', tlsSecret, '--ingress-host', host);
  if (host === undefined) return undefined;
  if (!/^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(host)) {
    throw new InputError(`Cannot use --ingress-host=${host}: want a DNS name without a port`);
  }
  return { host, ...(className ? { className } : {}), ...(tlsSecret ? { tlsSecret } : {}) };
}

function networkPolicyOf(flags: InstallFlags): object | undefined {
  const { networkPolicy, allowNamespace: allowedNamespaces } = flags;
  requireWith('--allow-namespace', allowedNamespaces?.[0], '--network-policy', networkPolicy);
  return networkPolicy ? { allowedNamespaces } : undefined;
}

function requireWith(flag: string, value: unknown, other: string, otherValue: unknown): void {
  if (value === undefined || otherValue !== undefined) return;
  throw new InputError(`Cannot use ${flag} alone: want ${other} with it`);
}

function parseNodePort(given: true | string | undefined): boolean | number {
  if (given === undefined || given === true) return given ?? false;
  const port = Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InputError(
      `Cannot use node port "${given}": want a number, in most clusters 30000 to 32767`,
    );
  }
  return port;
}
