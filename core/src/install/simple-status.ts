import { X509Certificate } from 'node:crypto';

import type { KubernetesClient } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { findSecret, isOurs, secretTextsOf } from './owned-secret.ts';
import { authorityIn, phaseOf } from './simple-authority.ts';
import type { AuthorityPhase } from './simple-authority.ts';
import {
  findSimple,
  imageOf,
  isReadOnly,
  mountedSecret,
  settingsOf,
  storageKindOf,
} from './simple-deployment.ts';
import type { SimpleDeployment, StorageKind } from './simple-deployment.ts';
import { noSimple, simpleHosts } from './simple-hosts.ts';
import type { SimpleHosts } from './simple-hosts.ts';
import { listUsers } from './simple-users.ts';

/** How a simple registry was installed, and how it is. */
export interface SimpleStatus extends SimpleHosts {
  readonly namespace: string;
  readonly image: string | undefined;
  readonly replicas: number;
  readonly availableReplicas: number;
  readonly storage: StorageKind;
  readonly bucket?: string | undefined;
  readonly isReadOnly: boolean;
  readonly tls?: CertificateStatus | undefined;
  /** `undefined` where everybody is let in. */
  readonly users?: number | undefined;
}

interface CertificateStatus {
  readonly secret: string;
  /** RFC 3339; `undefined` if there is no certificate in the Secret. */
  readonly expiresAt: string | undefined;
  /** Of our own CA. */
  readonly authority?: { readonly expiresAt: string | undefined; readonly phase: AuthorityPhase };
}

/** @throws {NotFoundError} if there is none. */
export async function simpleStatus(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<SimpleStatus> {
  const deployment = await findSimple(kubernetes, namespace);
  if (deployment === undefined) throw noSimple(namespace);
  const tlsSecret = mountedSecret(deployment, 'tls');
  const asksForLogin = mountedSecret(deployment, 'htpasswd') !== undefined;
  return {
    namespace,
    ...(await simpleHosts(kubernetes, namespace)),
    ...workloadOf(deployment),
    ...(tlsSecret && { tls: await certificateStatus(kubernetes, tlsSecret, namespace) }),
    ...(asksForLogin && { users: (await listUsers(kubernetes, namespace)).length }),
  };
}

function workloadOf(
  deployment: SimpleDeployment,
): Pick<
  SimpleStatus,
  'image' | 'replicas' | 'availableReplicas' | 'storage' | 'bucket' | 'isReadOnly'
> {
  const bucket = settingsOf(deployment)['REGISTRY_STORAGE_S3_BUCKET'];
  return {
    image: imageOf(deployment),
    replicas: deployment.spec?.replicas ?? 1,
    availableReplicas: deployment.status?.availableReplicas ?? 0,
    storage: storageKindOf(deployment),
    ...(bucket === undefined ? {} : { bucket }),
    isReadOnly: isReadOnly(deployment),
  };
}

async function certificateStatus(
  kubernetes: KubernetesClient,
  secret: string,
  namespace: string,
): Promise<CertificateStatus> {
  const tls = await findSecret(kubernetes, secret, namespace);
  const expiresAt = endOf(secretTextsOf(tls)['tls.crt']);
  if (secret !== names.simpleTls || tls === undefined || !isOurs(tls)) return { secret, expiresAt };
  const ca = authorityIn(secretTextsOf(await findSecret(kubernetes, names.simpleCa, namespace)));
  if (ca === undefined) return { secret, expiresAt };
  const authority = { expiresAt: endOf(ca.current.certificatePem), phase: phaseOf(ca) };
  return { secret, expiresAt, authority };
}

function endOf(certificatePem = ''): string | undefined {
  try {
    return new X509Certificate(certificatePem).validToDate.toISOString();
  } catch {
    return undefined;
  }
}
