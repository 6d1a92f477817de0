import { sha256Hex } from '../bytes.ts';
import {
  isPair,
  isServerCertificateValid,
  issueServerCertificate,
  makeAuthority,
} from '../certificates.ts';
import type { ServerNames } from '../certificates.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { findSecret, isOurs, putSecret, secretTextsOf } from './owned-secret.ts';
import type { SecretTexts, WantedSecret } from './owned-secret.ts';
import { isRolledOut } from './rollout.ts';
import { advance, authorityIn, bundleOf, phaseOf, textsOf } from './simple-authority.ts';
import type { AuthorityPhase, AuthorityState } from './simple-authority.ts';
import {
  findSimple,
  mountedSecret,
  storageKindOf,
  tlsAnnotation,
  withAnnotation,
} from './simple-deployment.ts';
import type { SimpleDeployment, StorageKind } from './simple-deployment.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** A third of it is left when it is renewed: an operator may be away for so long. */
const servingLifeMs = 365 * dayMs;
/**
 * Clients get so long to learn what they are to trust. The kubelet hands a changed Secret to a Pod
 * within two minutes, and a client that goes straight to the registry reads it when it starts.
 */
const defaultSettleMs = 10 * 60_000;

/** What is to be made new although it is not due. */
export type RenewalWish = 'certificate' | 'authority';

/** How certificates are looked after. */
export interface RenewalOptions {
  readonly log?: Log | undefined;
  readonly now?: Date | undefined;
  readonly settleMs?: number | undefined;
  readonly wish?: RenewalWish | undefined;
}

/** What {@link renewCertificates} left behind. */
export interface Renewal {
  readonly phase: AuthorityPhase;
  /** Every Pod serves the certificate that the Secret holds. */
  readonly isServed: boolean;
}

/**
 * Takes the next step in the life of the simple registry's certificates, if there is one to take:
 * renews a certificate or a CA that is due, goes on with a CA that another takes the place of, and
 * replaces Pods that serve an old certificate, also one that cert-manager or a person has changed.
 *
 * To be called again and again, by anybody, after any interruption: everything is looked at anew.
 *
 * @returns `undefined` where there is no simple registry with TLS.
 * @throws {KubernetesError} if the API refuses; a conflict if somebody else was quicker.
 */
export async function renewCertificates(
  kubernetes: KubernetesClient,
  namespace: string,
  options: RenewalOptions = {},
): Promise<Renewal | undefined> {
  const deployment = await findSimple(kubernetes, namespace);
  const mounted = deployment && mountedSecret(deployment, 'tls');
  if (deployment === undefined || mounted === undefined) return undefined;
  const isServed = isServing(deployment, await fingerprintIn(kubernetes, mounted, namespace));
  const phase =
    mounted === names.simpleTls
      ? await keepCertificate(kubernetes, namespace, {
          ...options,
          isServed,
          storage: storageKindOf(deployment),
        })
      : 'steady';
  const fingerprint = await fingerprintIn(kubernetes, mounted, namespace);
  await serve(kubernetes, deployment, fingerprint, options.log);
  return { phase, isServed: isServing(deployment, fingerprint) };
}

interface KeepOptions extends RenewalOptions {
  readonly isServed: boolean;
  readonly storage: StorageKind;
}

/**
 * Keeps our own CA, and the certificate that it signs; makes what is missing.
 *
 * A Secret of that name that somebody else made is left alone.
 */
export async function keepCertificate(
  kubernetes: KubernetesClient,
  namespace: string,
  options: KeepOptions,
): Promise<AuthorityPhase> {
  const { log = silent, now = new Date(), settleMs = defaultSettleMs, wish } = options;
  const tls = await findSecret(kubernetes, names.simpleTls, namespace);
  if (tls !== undefined && !isOurs(tls)) return 'steady';
  const ca = await findSecret(kubernetes, names.simpleCa, namespace);
  const texts = secretTextsOf(tls);
  const found = soundAuthorityIn(secretTextsOf(ca)) ?? earlierAuthorityIn(texts);
  // Clients have known of it only since it was published.
  const before =
    found && texts['ca.crt'] !== bundleOf(found) ? { ...found, changedAt: now } : found;
  const isAsked = wish === 'authority';
  const state = before
    ? await advance(before, { now, isAsked, isServed: options.isServed, settleMs })
    : { current: await makeAuthority(now), changedAt: now };
  // First: what is trusted must not be lost when this ends here.
  await putSecret(kubernetes, ca, caSecret(namespace, state), log);
  if (before && state !== before) log.info(`CA of ${namespace}/${names.simple}: ${phaseOf(state)}`);
  await keepServing(kubernetes, { ...options, namespace, tls, state, now, log });
  return phaseOf(state);
}

/** One whose key is another's can sign nothing that anybody trusts. */
function soundAuthorityIn(texts: SecretTexts): AuthorityState | undefined {
  const state = authorityIn(texts);
  if (state === undefined) return undefined;
  const { certificatePem, keyPem } = state.current;
  const isSound = keyPem === undefined || isPair(certificatePem, keyPem);
  return isSound ? state : undefined;
}

/** The CA of an earlier version, or one whose Secret was lost: clients trust it, and nobody has its key. */
function earlierAuthorityIn(tls: SecretTexts): AuthorityState | undefined {
  const { 'ca.crt': certificatePem = '', 'tls.crt': served = '', 'tls.key': key = '' } = tls;
  if (!certificatePem.includes('-----BEGIN CERTIFICATE-----') || !isPair(served, key))
    return undefined;
  return { current: { certificatePem, keyPem: undefined }, changedAt: new Date(0) };
}

interface ServingOptions extends KeepOptions {
  readonly namespace: string;
  readonly tls: Secret | undefined;
  readonly state: AuthorityState;
  readonly now: Date;
  readonly log: Log;
}

async function keepServing(kubernetes: KubernetesClient, options: ServingOptions): Promise<void> {
  const { namespace, tls, state, now, wish, log, storage } = options;
  const { certificatePem: caPem, keyPem } = state.current;
  const texts = secretTextsOf(tls);
  const existing = {
    caPem,
    certificatePem: texts['tls.crt'] ?? '',
    keyPem: texts['tls.key'] ?? '',
  };
  const serverNames = serverNamesOf(namespace);
  const isKept = wish !== 'certificate' && isServerCertificateValid(existing, serverNames, now);
  // Without the CA's key there is nothing to sign with, until the next CA has settled.
  const authority = keyPem === undefined ? undefined : { certificatePem: caPem, keyPem };
  // Images without a volume go with the Pod, and another certificate is another Pod.
  const lifeMs = storage === 'temporary' ? Infinity : servingLifeMs;
  const serving =
    isKept || authority === undefined
      ? existing
      : await issueServerCertificate(authority, serverNames, { lifeMs, now });
  await putSecret(
    kubernetes,
    tls,
    {
      name: names.simpleTls,
      namespace,
      type: 'kubernetes.io/tls',
      texts: {
        'ca.crt': bundleOf(state),
        'tls.crt': serving.certificatePem,
        'tls.key': serving.keyPem,
      },
    },
    log,
  );
}

/** What is in a Secret with a certificate, if it is whole. */
async function fingerprintIn(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<string | undefined> {
  return fingerprintOf(secretTextsOf(await findSecret(kubernetes, name, namespace)));
}

/** Of the certificate in a Secret; `undefined` unless its key is there, too. */
export function fingerprintOf({
  'tls.crt': certificate = '',
  'tls.key': key = '',
}: SecretTexts): string | undefined {
  return isPair(certificate, key) ? sha256Hex(certificate) : undefined;
}

function isServing(deployment: SimpleDeployment, fingerprint: string | undefined): boolean {
  return servedBy(deployment) === fingerprint && isRolledOut(deployment);
}

function servedBy(deployment: SimpleDeployment): string | undefined {
  return deployment.spec?.template?.metadata?.annotations?.[tlsAnnotation];
}

/** Replaces the Pods if they serve another certificate: Distribution reads it once. */
async function serve(
  kubernetes: KubernetesClient,
  deployment: SimpleDeployment,
  fingerprint: string | undefined,
  log: Log = silent,
): Promise<void> {
  // One that is half there would keep every new Pod from starting.
  if (fingerprint === undefined || servedBy(deployment) === fingerprint) return;
  await kubernetes.replace(withAnnotation(deployment, tlsAnnotation, fingerprint));
  const { name, namespace = '' } = deployment.metadata;
  log.info(`Deployment ${namespace}/${name} gets Pods with the new certificate`);
}

function caSecret(namespace: string, state: AuthorityState): WantedSecret {
  return { name: names.simpleCa, namespace, texts: textsOf(state) };
}

/** Every name by which Pods and nodes may reach the Service. */
export function serverNamesOf(namespace: string): ServerNames {
  const { simple } = names;
  return {
    dnsNames: [
      `${simple}.${namespace}.svc`,
      simple,
      `${simple}.${namespace}`,
      `${simple}.${namespace}.svc.cluster.local`,
      'localhost',
    ],
    addresses: ['127.0.0.1'],
  };
}
