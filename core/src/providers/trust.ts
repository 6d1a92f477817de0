import { X509Certificate } from 'node:crypto';

import { sha256Hex } from '../bytes.ts';
import type { RegistrySpec } from '../resource/index.ts';
import { CredentialsError, describeSecret, textOf } from './credentials-error.ts';
import type { Secret } from './credentials-error.ts';

/** Which key of which Secret holds the certificates that a registry is trusted by. */
export interface Trust {
  readonly secret: string;
  readonly key: string;
  /** sha256 of the certificates, in hex: they are public. */
  readonly fingerprint: string;
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/**
 * Finds the certificates in a Secret.
 *
 * Certificates only: this key is mounted into the surrogate, and whoever may create a Registry
 * chooses it; and a file without any must not silently mean "trust nobody in particular".
 *
 * @throws {CredentialsError} if there are none, or something else is with them.
 */
export function trustOf(secret: Secret, spec: RegistrySpec): Trust {
  const key = keyOf(secret, spec);
  const pem = textOf(secret, key);
  const refuse = (state: string): never => {
    throw new CredentialsError(
      'TlsSecretInvalid',
      `Cannot trust the registry by ${describeSecret(secret)}: ${state}; want PEM certificates in it`,
    );
  };
  if (pem === undefined) return refuse(`it has no key "${key}"`);
  const blocks = [...pem.matchAll(pemBlock)];
  if (blocks.length === 0) return refuse(`its key "${key}" holds no PEM`);
  const kinds = blocks.map(([, kind = '']) => kind).filter((kind) => kind !== 'CERTIFICATE');
  if (kinds.length > 0) return refuse(`its key "${key}" also holds ${kinds.join(', ')}`);
  if (!blocks.every(([block]) => isCertificate(block))) {
    return refuse(`its key "${key}" holds a certificate that cannot be read`);
  }
  return { secret: secret.metadata.name, key, fingerprint: sha256Hex(pem) };
}

/** `ca.crt` where the certificate of a CA is; else the server's own in `tls.crt`, as in the predecessor. */
function keyOf(secret: Secret, spec: RegistrySpec): string {
  if (spec.authenticationSecretDataKey) return spec.authenticationSecretDataKey;
  return secret.data?.['ca.crt'] === undefined && secret.data?.['tls.crt'] !== undefined
    ? 'tls.crt'
    : 'ca.crt';
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.byteLength > 0;
  } catch {
    return false;
  }
}
