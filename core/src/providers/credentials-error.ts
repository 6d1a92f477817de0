import { ReposureError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';

/** A Secret, as the API serves it. */
export interface Secret extends KubernetesObject {
  type?: string;
  /** Values in base64. */
  data?: Readonly<Record<string, string>>;
}

/** What is wrong with trust or login; the `reason` of the condition `CredentialsValid`. */
export const credentialsReasons = [
  'AccountMayNotPush',
  'LoginForOtherImage',
  'LoginNotForHost',
  'LoginNotForRegistry',
  'LoginOverPlainHttp',
  'LoginSecretInvalid',
  'LoginSecretNotFound',
  'ServiceCaMissing',
  'TlsSecretInvalid',
  'TlsSecretNotFound',
] as const;
export type CredentialsReason = (typeof credentialsReasons)[number];

/** What a Registry is trusted by or logged in to with is not there, or must not be used for it. */
export class CredentialsError extends ReposureError {
  override readonly name = 'CredentialsError';
  readonly code = 'AUTHENTICATION';
  readonly reason: CredentialsReason;

  constructor(reason: CredentialsReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The text of one key of a Secret. */
export function textOf(secret: Secret, key: string): string | undefined {
  const encoded = secret.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** `Secret ci/reg-login`, for messages. */
export function describeSecret(secret: Secret): string {
  return `Secret ${secret.metadata.namespace ?? ''}/${secret.metadata.name}`;
}
