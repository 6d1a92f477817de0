import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

import { describe, expect, it } from 'vitest';

import { makeServerCertificate } from '../certificates.ts';
import { ReposureError } from '../errors.ts';
import { RegistryClient } from './client.ts';
import { directTransport } from './direct.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe.skipIf(!hasIpv6)('directTransport() to an IPv6 address', () => {
  const hosts: string[] = [];
  const listener: RequestListener = ({ headers }, response) => {
    hosts.push(headers.host ?? '');
    response.end();
  };

  async function listening(server: Server): Promise<string> {
    await once(server.listen(0, '::1'), 'listening');
    return `[::1]:${(server.address() as AddressInfo).port}`;
  }

  it('speaks plain HTTP', async () => {
    const server = createPlainServer(listener);
    const host = await listening(server);
    const transport = directTransport({ host, insecure: true });
    await new RegistryClient(transport).ping();
    expect(hosts.at(-1)).toBe(host);
    await transport.close();
    server.close();
  });

  it.each([
    ['::1', 'trusted'],
    ['::2', 'UNREACHABLE'],
  ])('with a certificate for %s, it is %s', async (named, expected) => {
    const made = await makeServerCertificate({ dnsNames: [], addresses: [named] });
    const { certificatePem: cert, keyPem: key, caPem: ca } = made;
    const server = createTlsServer({ cert, key }, listener);
    const host = await listening(server);
    const transport = directTransport({ host, insecure: false, ca });
    const outcome = await new RegistryClient(transport).ping().then(
      () => 'trusted',
      (error: unknown) => (error instanceof ReposureError ? error.code : error),
    );
    expect(outcome).toBe(expected);
    await transport.close();
    server.close();
  });
});
