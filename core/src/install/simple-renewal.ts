import { setTimeout as delay } from 'node:timers/promises';

import { NotFoundError, TimeoutError, UnsupportedError } from '../errors.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { findSecret, isOurs } from './owned-secret.ts';
import { renewCertificates } from './simple-certificates.ts';
import type { Renewal, RenewalOptions, RenewalWish } from './simple-certificates.ts';
import { findSimple, mountedSecret, storageKindOf } from './simple-deployment.ts';
import { wakeKubelets } from './wake-kubelets.ts';

/** What a person asks for. */
export interface RequestedRenewal extends Pick<RenewalOptions, 'log' | 'settleMs'> {
  readonly namespace: string;
  readonly wish: RenewalWish;
  /** Take every step here, and return when the last one is done; else the operator goes on. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const pollEveryMs = 1000;

/**
 * Makes a certificate, or the CA, new although it is not due.
 *
 * @throws {UnsupportedError} if it is not ours to renew, or images would be lost.
 * @throws {TimeoutError} if `wait`, and it is not done in time.
 */
export async function renewOnRequest(
  kubernetes: KubernetesClient,
  options: RequestedRenewal,
): Promise<Renewal> {
  const { namespace, wish, wait = false, timeoutMs, signal } = options;
  await requireRenewable(kubernetes, namespace);
  const until = Date.now() + timeoutMs;
  const pause = (): Promise<void> => delay(pollEveryMs, undefined, signal ? { signal } : {});
  for (let renewal: Renewal | undefined; ; await pause()) {
    // What was asked for has begun, unless somebody else was quicker.
    const next = await step(kubernetes, options, renewal ? undefined : wish);
    if (next && next.phase !== renewal?.phase) await wakeKubelets(kubernetes, namespace);
    renewal = next ?? renewal;
    if (renewal && (!wait || isDone(renewal))) return renewal;
    if (Date.now() > until) throw tooLate(namespace, renewal);
  }
}

function isDone({ phase, isServed }: Renewal): boolean {
  return phase === 'steady' && isServed;
}

function tooLate(namespace: string, renewal: Renewal | undefined): TimeoutError {
  const state = renewal?.phase ?? 'others keep changing them';
  return new TimeoutError(
    `Cannot wait any longer for the certificates of ${namespace}/${names.simple}: ${state}; the operator goes on with it`,
  );
}

/** `undefined` if somebody else was quicker. */
async function step(
  kubernetes: KubernetesClient,
  { namespace, log, settleMs }: RequestedRenewal,
  wish: RenewalWish | undefined,
): Promise<Renewal | undefined> {
  try {
    return await renewCertificates(kubernetes, namespace, { log, settleMs, wish });
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 409) return undefined;
    throw error;
  }
}

async function requireRenewable(kubernetes: KubernetesClient, namespace: string): Promise<void> {
  const deployment = await findSimple(kubernetes, namespace);
  const mounted = deployment && mountedSecret(deployment, 'tls');
  const refuse = (state: string): never => {
    throw new UnsupportedError(
      `Cannot renew the certificate of ${namespace}/${names.simple}: ${state}`,
    );
  };
  if (deployment === undefined || mounted === undefined) {
    throw new NotFoundError(
      `Cannot renew a certificate: there is no simple registry with TLS in namespace "${namespace}"`,
    );
  }
  const secret = await findSecret(kubernetes, mounted, namespace);
  if (mounted !== names.simpleTls || (secret !== undefined && !isOurs(secret))) {
    refuse(`Secret ${mounted} is not ours; want whoever keeps it to renew it, and its Pods follow`);
  }
  if (storageKindOf(deployment) === 'temporary') {
    refuse('another certificate is another Pod, and its images would be lost; want --storage');
  }
}
