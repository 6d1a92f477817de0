// @peculiar/x509 wants reflect-metadata, or as much of it as this, to be there before it is loaded.
if (!('getMetadata' in Reflect)) {
  const store = new WeakMap<object, Map<unknown, unknown>>();
  const get = (key: unknown, target: object): unknown => store.get(target)?.get(key);
  Object.assign(Reflect, {
    getMetadata: get,
    getOwnMetadata: get,
    defineMetadata: (key: unknown, value: unknown, target: object) =>
      void store.set(target, (store.get(target) ?? new Map<unknown, unknown>()).set(key, value)),
  });
}

/** A CA, and a certificate of it with its key, in PEM. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Makes a CA and a certificate of it. @param hosts DNS names; 127.0.0.1 is always in it. */
export async function makeCertificates(
  commonName: string,
  hosts: readonly string[] = [],
): Promise<Certificates> {
  const x509 = await import('@peculiar/x509');
  const caKeys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notAfter = new Date(Date.now() + 3_600_000);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName} CA`,
    keys: caKeys,
    notAfter,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const names = hosts.map((value) => ({ type: 'dns' as const, value }));
  const cert = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    notAfter,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }, ...names]),
    ],
  });
  const key = x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  return { ca: ca.toString('pem'), cert: cert.toString('pem'), key };
}
