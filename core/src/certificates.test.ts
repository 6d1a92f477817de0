import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { isServerCertificateValid, makeServerCertificate } from './certificates.ts';
import type { ServerCertificate } from './certificates.ts';

const serverNames = {
  dnsNames: ['reposure-simple.ci.svc', 'reposure-simple', 'localhost'],
  addresses: ['127.0.0.1'],
};
const yearMs = 365 * 24 * 60 * 60 * 1000;

/** What a client that trusts `caPem` says of a server with this certificate. */
async function handshake(made: ServerCertificate, caPem: string, name: string): Promise<string> {
  const server = createServer({ cert: made.certificatePem, key: made.keyPem }, (socket) => {
    socket.on('error', () => {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', ca: caPem, servername: name }, () => {
        socket.destroy();
        resolve('trusted');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('makeServerCertificate()', () => {
  it.each(serverNames.dnsNames)('is trusted by its CA, as %s', async (name) => {
    const made = await makeServerCertificate(serverNames);
    expect(await handshake(made, made.caPem, name)).toBe('trusted');
  });

  it('is not trusted by another name or another CA', async () => {
    const [made, other] = await Promise.all([
      makeServerCertificate(serverNames),
      makeServerCertificate(serverNames),
    ]);
    expect(await handshake(made, made.caPem, 'evil.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(made, other.caPem, 'localhost')).not.toBe('trusted');
  });

  it('makes a CA that may sign certificates, and a certificate that may not', async () => {
    const made = await makeServerCertificate(serverNames);
    expect(new X509Certificate(made.caPem).ca).toBe(true);
    expect(new X509Certificate(made.certificatePem).ca).toBe(false);
  });
});

describe('isServerCertificateValid()', () => {
  it('keeps one that serves, and no other', async () => {
    const made = await makeServerCertificate(serverNames);
    const other = await makeServerCertificate(serverNames);
    const inTenYears = new Date(Date.now() + 10 * yearMs - 30 * 24 * 60 * 60 * 1000);
    const more = { ...serverNames, dnsNames: [...serverNames.dnsNames, 'more.test'] };
    expect(isServerCertificateValid(made, serverNames)).toBe(true);
    expect(isServerCertificateValid(made, serverNames, inTenYears)).toBe(false);
    expect(isServerCertificateValid(made, more)).toBe(false);
    expect(isServerCertificateValid({ ...made, keyPem: other.keyPem }, serverNames)).toBe(false);
    expect(isServerCertificateValid({ ...made, caPem: other.caPem }, serverNames)).toBe(false);
    expect(isServerCertificateValid({ ...made, certificatePem: '' }, serverNames)).toBe(false);
  });
});
