import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { webcrypto } from 'node:crypto';

import { provideReflectMetadata } from './reflect-metadata.ts';

const { subtle } = globalThis.crypto;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const yearMs = 365 * 24 * 60 * 60 * 1000;
/** Clocks differ. */
const earlierMs = 60 * 60 * 1000;
/** A certificate that ends sooner is made anew. */
const renewalMs = 90 * 24 * 60 * 60 * 1000;

/** What a TLS server needs, and what its clients trust; all PEM. */
export interface ServerCertificate {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Whom a certificate speaks for. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/**
 * Makes a CA and a server certificate of it (ECDSA P-256, ten years).
 *
 * The CA's own key is thrown away: nobody can ever sign another certificate that is trusted by it.
 */
export async function makeServerCertificate({
  dnsNames,
  addresses,
}: ServerNames): Promise<ServerCertificate> {
  // Loaded here: most commands never make a certificate.
  provideReflectMetadata();
  const x509 = await import('@peculiar/x509');
  const now = Date.now();
  const validity = {
    notBefore: new Date(now - earlierMs),
    notAfter: new Date(now + 10 * yearMs),
  };
  const caKeys = await subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=Reposure CA',
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: `CN=${dnsNames[0] ?? addresses[0] ?? 'reposure'}`,
    issuer: ca.subject,
    signingKey: caKeys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
        ...addresses.map((value) => ({ type: 'ip', value }) as const),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    caPem: pemOf(ca),
    certificatePem: pemOf(certificate),
    keyPem: await privateKeyPemOf(keys.privateKey),
  };
}

/** Whether a server certificate still serves: of its CA, with its key, for these names, for a while. */
export function isServerCertificateValid(
  { caPem, certificatePem, keyPem }: ServerCertificate,
  { dnsNames, addresses }: ServerNames,
  now: Date = new Date(),
): boolean {
  try {
    const ca = new X509Certificate(caPem);
    const certificate = new X509Certificate(certificatePem);
    return (
      certificate.verify(ca.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
      certificate.validToDate.getTime() - now.getTime() > renewalMs &&
      dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
      addresses.every((address) => certificate.checkIP(address) !== undefined)
    );
  } catch {
    return false;
  }
}

function pemOf(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem')}\n`;
}

async function privateKeyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
