import { afterEach, describe, expect, it } from 'vitest';

import { findDistribution } from '../../../test/support/registries.ts';
import { startTokenRegistry } from '../../../test/support/token-registry.ts';
import { digestOf } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { directTransport } from './direct.ts';
import { AuthenticationError } from './registry-error.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

describe.each(['2', '3'] as const)('a token service before Distribution %s', (version) => {
  async function connect(credentials?: Credentials): Promise<RegistryClient> {
    const registry = await startTokenRegistry({
      version,
      realmPath: '/token',
      service: 'the registry',
      issuer: 'the token service',
      // Whoever logs in may do what they ask for, others may pull.
      grant: (login, scope) =>
        login?.username === 'someone' && login.password === 'secret'
          ? (scope.split(':')[2] ?? '').split(',')
          : ['pull'],
    });
    if (!registry) throw new Error('there is no such registry');
    opened.push(registry);
    const transport = directTransport({
      host: registry.host,
      insecure: true,
      credentials: () => Promise.resolve(credentials),
    });
    opened.push(transport);
    return new RegistryClient(transport);
  }

  it.skipIf(!findDistribution(version))('lets in who logs in', async () => {
    const client = await connect({ kind: 'basic', username: 'someone', password: 'secret' });
    const body = Buffer.from('hello');
    const digest = digestOf(body);
    await client.ping();
    await client.finishUpload(await client.startUpload('a/b'), digest, { body });
    expect(await client.statBlob('a/b', digest)).toBe(5);
    expect(await client.mountBlob('a/c', digest, 'a/b')).toEqual({ mounted: true });
    expect(await Array.fromAsync(client.listRepositories())).toBeInstanceOf(Array);
  });

  it.skipIf(!findDistribution(version))('keeps out who does not', async () => {
    const client = await connect();
    expect(await client.statBlob('a/b', digestOf('x'))).toBeUndefined();
    const failure: unknown = await client.startUpload('a/b').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(String(failure)).toMatch(/it wants a login/);
  });
});
