import { InputError } from '../errors.ts';
import { resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { certManagerObjects } from './cert-manager.ts';
import type { IssuerName } from './cert-manager.ts';
import { findSecret, secretTextsOf } from './owned-secret.ts';
import { fingerprintOf, keepCertificate, serverNamesOf } from './simple-certificates.ts';
import type { StorageKind } from './simple-deployment.ts';

/** Where the simple registry's certificate comes from. */
export type SimpleTls =
  /** From a CA that we make, and renew. */
  | { readonly from: 'own-ca' }
  /** From cert-manager; by an issuer of its own where none is named. */
  | { readonly from: 'cert-manager'; readonly issuer?: IssuerName | undefined }
  /** From somebody who keeps a Secret with `tls.crt`, `tls.key` and, for clients, `ca.crt`. */
  | { readonly from: 'secret'; readonly name: string };

/** A certificate that is ready to be served. */
export interface ReadyTls {
  readonly secret: string;
  /** Another one whenever the certificate is another one. */
  readonly fingerprint: string;
}

/** How a certificate is made sure of. */
export interface EnsureTlsOptions {
  readonly tls: SimpleTls;
  readonly storage: StorageKind;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes sure that the simple registry has a certificate.
 *
 * @throws {InputError} if the Secret that it is to come from is not whole.
 * @throws {TimeoutError} if cert-manager does not issue one in time.
 */
export async function ensureTls(
  kubernetes: KubernetesClient,
  namespace: string,
  options: EnsureTlsOptions,
): Promise<ReadyTls> {
  const { tls } = options;
  switch (tls.from) {
    case 'own-ca':
      await keepCertificate(kubernetes, namespace, { ...options, isServed: false });
      return readyTls(kubernetes, names.simpleTls, namespace);
    case 'cert-manager':
      await askCertManager(kubernetes, namespace, { ...options, issuer: tls.issuer });
      return readyTls(kubernetes, names.simpleCertificate, namespace);
    case 'secret':
      return readyTls(kubernetes, tls.name, namespace);
  }
}

async function readyTls(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<ReadyTls> {
  const secret = await findSecret(kubernetes, name, namespace);
  const fingerprint = fingerprintOf(secretTextsOf(secret));
  if (fingerprint !== undefined) return { secret: name, fingerprint };
  const state = secret ? 'it holds no pair of certificate and key' : 'it does not exist';
  throw new InputError(
    `Cannot serve HTTPS with Secret ${namespace}/${name}: ${state}; want tls.crt and tls.key in it, PEM, which belong together`,
  );
}

async function askCertManager(
  kubernetes: KubernetesClient,
  namespace: string,
  options: Omit<EnsureTlsOptions, 'tls'> & { readonly issuer: IssuerName | undefined },
): Promise<void> {
  const { issuer, timeoutMs, log, signal } = options;
  for (const object of certManagerObjects(namespace, issuer, serverNamesOf(namespace))) {
    await kubernetes.apply(object);
    log.info(`Applied ${object.kind} ${namespace}/${object.metadata.name}`);
  }
  const name = names.simpleCertificate;
  await waitFor<Secret>(
    kubernetes,
    resourceTypes.Secret,
    { name, namespace },
    {
      until: isWhole,
      describe: () =>
        `cert-manager has put no certificate there; see: kubectl describe certificate -n ${namespace} ${names.simple}`,
      timeoutMs,
      signal,
    },
  );
}

function isWhole(secret: Secret | undefined): boolean {
  return fingerprintOf(secretTextsOf(secret)) !== undefined;
}
