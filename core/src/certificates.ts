import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import type { webcrypto } from 'node:crypto';

import type * as X509 from '@peculiar/x509';

import { provideReflectMetadata } from './reflect-metadata.ts';

const { subtle } = globalThis.crypto;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const yearMs = 365 * 24 * 60 * 60 * 1000;
/** Of a CA, and of a server certificate whose CA signs no other. */
const authorityLifeMs = 10 * yearMs;
/** Clocks differ. */
const earlierMs = 60 * 60 * 1000;

/** A CA that can sign; all PEM. */
export interface Authority {
  readonly certificatePem: string;
  readonly keyPem: string;
}

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

/** Makes a CA (ECDSA P-256, ten years) that signs server certificates and no other CA. */
export async function makeAuthority(now: Date = new Date()): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    notBefore: new Date(now.getTime() - earlierMs),
    notAfter: new Date(now.getTime() + authorityLifeMs),
    // A name of its own: while one takes another's place, clients trust both.
    name: `CN=Reposure CA ${randomBytes(4).toString('hex')}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pemOf(ca), keyPem: await privateKeyPemOf(keys.privateKey) };
}

/** How long a certificate is good for. */
export interface IssueOptions {
  /** Not beyond the end of the CA. */
  readonly lifeMs: number;
  readonly now?: Date;
}

/** Signs a server certificate for a new key (ECDSA P-256). */
export async function issueServerCertificate(
  authority: Authority,
  { dnsNames, addresses }: ServerNames,
  { lifeMs, now = new Date() }: IssueOptions,
): Promise<ServerCertificate> {
  const x509 = await loadX509();
  const ca = new x509.X509Certificate(authority.certificatePem);
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore: new Date(now.getTime() - earlierMs),
    notAfter: new Date(Math.min(now.getTime() + lifeMs, ca.notAfter.getTime())),
    subject: `CN=${dnsNames[0] ?? addresses[0] ?? 'reposure'}`,
    issuer: ca.subject,
    signingKey: await signingKeyOf(authority),
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
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    caPem: authority.certificatePem,
    certificatePem: pemOf(certificate),
    keyPem: await privateKeyPemOf(keys.privateKey),
  };
}

/**
 * Makes a CA and a server certificate of it, ten years both.
 *
 * The CA's own key is thrown away: nobody can ever sign another certificate that is trusted by it.
 */
export async function makeServerCertificate(serverNames: ServerNames): Promise<ServerCertificate> {
  const authority = await makeAuthority();
  return issueServerCertificate(authority, serverNames, { lifeMs: authorityLifeMs });
}

/** Whether a server certificate still serves: of its CA, with its key, for these names, and not due. */
export function isServerCertificateValid(
  { caPem, certificatePem, keyPem }: ServerCertificate,
  { dnsNames, addresses }: ServerNames,
  now: Date = new Date(),
): boolean {
  try {
    const certificate = new X509Certificate(certificatePem);
    return (
      certificate.verify(new X509Certificate(caPem).publicKey) &&
      isPair(certificatePem, keyPem) &&
      !isDueForRenewal(certificatePem, now) &&
      dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
      addresses.every((address) => certificate.checkIP(address) !== undefined)
    );
  } catch {
    return false;
  }
}

/** Whether two thirds of a certificate's life are over, or it cannot be read. */
export function isDueForRenewal(certificatePem: string, now: Date = new Date()): boolean {
  try {
    const { validFromDate: from, validToDate: to } = new X509Certificate(certificatePem);
    return (now.getTime() - from.getTime()) * 3 >= (to.getTime() - from.getTime()) * 2;
  } catch {
    return true;
  }
}

/** Whether both are PEM, and the key is the certificate's. */
export function isPair(certificatePem: string, keyPem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** Loaded here: most commands never make a certificate. */
async function loadX509(): Promise<typeof X509> {
  provideReflectMetadata();
  return import('@peculiar/x509');
}

async function signingKeyOf({ keyPem }: Authority): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' });
  return subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
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
