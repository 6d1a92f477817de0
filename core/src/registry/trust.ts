import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { InputError } from '../errors.ts';

/**
 * What TLS trusts where a CA was given; made once: with the certificates of the system, each
 * connection would spend milliseconds on it.
 *
 * @param ca PEM; trusted besides what this machine trusts.
 * @throws {InputError} if `ca` holds no certificate: it must not silently mean less.
 */
export function trusting(ca: string): SecureContext {
  checkPem(ca);
  const trusted = new Set([...getCACertificates('default'), ...getCACertificates('system'), ca]);
  // A person may name the server's own certificate instead of the CA that signed it.
  return createSecureContext({ ca: [...trusted], allowPartialTrustChain: true });
}

/** The certificates in a text, PEM, whatever else it holds. */
export function certificateBlocks(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function checkPem(ca: string): void {
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return;
  const state =
    blocks.length === 0 ? 'holds no PEM certificate' : 'holds an unreadable certificate';
  throw new InputError(
    `Cannot trust the registry by its CA: it ${state}; want "-----BEGIN CERTIFICATE-----"`,
  );
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.byteLength > 0;
  } catch {
    return false;
  }
}
