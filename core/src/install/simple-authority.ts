import { isDueForRenewal, makeAuthority } from '../certificates.ts';
import type { Authority } from '../certificates.ts';
import type { SecretTexts } from './owned-secret.ts';

/**
 * The CA of a simple registry, and how far another has come in taking its place.
 *
 * Clients learn of the next one before anything is signed by it, and forget the previous one after
 * nothing is served any more that it signed. So there is no moment at which a client does not trust
 * the registry.
 */
export interface AuthorityState {
  /** Signs. Without a key it is one of an earlier version, which had thrown the key away. */
  readonly current: { readonly certificatePem: string; readonly keyPem: string | undefined };
  /** Trusted already. */
  readonly next?: Authority | undefined;
  /** Trusted still. */
  readonly previousPem?: string | undefined;
  /** When it last came further. */
  readonly changedAt: Date;
}

/** How far: `announced` has a next CA, `replaced` still has a previous one. */
export type AuthorityPhase = 'steady' | 'announced' | 'replaced';

/** What it goes by whether the next step may be taken. */
export interface AdvanceOptions {
  readonly now: Date;
  /** Replace the CA even if it is not due. */
  readonly isAsked: boolean;
  /** Every Pod serves the certificate that the current CA signed. */
  readonly isServed: boolean;
  /** How long clients are given to learn what they are to trust. */
  readonly settleMs: number;
}

/** Where a state stands. */
export function phaseOf({ next, previousPem }: AuthorityState): AuthorityPhase {
  if (next) return 'announced';
  return previousPem === undefined ? 'steady' : 'replaced';
}

/** The state after the next step; the same one where there is none to take yet. */
export async function advance(
  state: AuthorityState,
  { now, isAsked, isServed, settleMs }: AdvanceOptions,
): Promise<AuthorityState> {
  const { current, next } = state;
  const isSettled = now.getTime() - state.changedAt.getTime() >= settleMs;
  switch (phaseOf(state)) {
    case 'steady': {
      const isDue = current.keyPem === undefined || isDueForRenewal(current.certificatePem, now);
      return isDue || isAsked ? { current, next: await makeAuthority(now), changedAt: now } : state;
    }
    case 'announced':
      return next && isSettled
        ? { current: next, previousPem: current.certificatePem, changedAt: now }
        : state;
    case 'replaced':
      return isSettled && isServed ? { current, changedAt: now } : state;
  }
}

/** Whom clients are to trust. */
export function bundleOf({ current, next, previousPem }: AuthorityState): string {
  const all = [current.certificatePem, next?.certificatePem, previousPem];
  return all.filter((pem) => pem !== undefined).join('');
}

/** A state as the texts of a Secret. */
export function textsOf({
  current,
  next,
  previousPem,
  changedAt,
}: AuthorityState): Record<string, string> {
  return {
    'tls.crt': current.certificatePem,
    ...(current.keyPem === undefined ? {} : { 'tls.key': current.keyPem }),
    ...(next && { 'next.crt': next.certificatePem, 'next.key': next.keyPem }),
    ...(previousPem === undefined ? {} : { 'previous.crt': previousPem }),
    'changed-at': changedAt.toISOString(),
  };
}

/** The state that {@link textsOf} wrote; `undefined` if there is none. */
export function authorityIn(texts: SecretTexts): AuthorityState | undefined {
  const certificatePem = texts['tls.crt'];
  if (certificatePem === undefined) return undefined;
  const { 'next.crt': nextPem, 'next.key': nextKeyPem } = texts;
  const changedAt = new Date(texts['changed-at'] ?? 0);
  return {
    current: { certificatePem, keyPem: texts['tls.key'] },
    ...(nextPem !== undefined &&
      nextKeyPem !== undefined && { next: { certificatePem: nextPem, keyPem: nextKeyPem } }),
    previousPem: texts['previous.crt'],
    changedAt: Number.isNaN(changedAt.getTime()) ? new Date(0) : changedAt,
  };
}
