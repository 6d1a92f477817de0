import { generateKeyPairSync } from 'node:crypto';
import { rootCertificates } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { RegistrySpec } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { CredentialsError } from './credentials-error.ts';
import type { Secret } from './credentials-error.ts';
import { credentialsOf } from './credentials.ts';
import type { Resolved } from './provider.ts';

const resolved: Resolved = {
  provider: 'host',
  pushHost: 'reg.example.com:5000',
  pullHost: undefined,
  insecure: false,
  nodes: { status: 'Unknown', reason: 'NodesNotAsked', message: '' },
};
const certificate = rootCertificates[0] ?? '';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString();

function registryOf(spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: RegistrySpec.parse({ direct: { host: resolved.pushHost }, ...spec }),
  };
}

function secretOf(texts: Record<string, string>, labels: Record<string, string> = {}): Secret {
  const data = Object.entries(texts).map(([name, text]) => [name, btoa(text)]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'ci', labels },
    data: Object.fromEntries(data),
  };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

describe('credentialsOf(): trust', () => {
  it.each([
    [{ 'ca.crt': certificate, 'tls.crt': certificate, 'tls.key': key }, {}, 'ca.crt'],
    [{ 'tls.crt': certificate, 'tls.key': key }, {}, 'tls.crt'],
    [{ 'my.pem': certificate }, { authenticationSecretDataKey: 'my.pem' }, 'my.pem'],
  ])('finds the certificate in %#', async (texts, spec, expected) => {
    const registry = registryOf({ tlsSecret: 's', ...spec });
    const { trust } = await credentialsOf(registry, resolved, new MemoryCluster(secretOf(texts)));
    expect(trust).toMatchObject({ secret: 's', key: expected });
  });

  it('has another fingerprint for another certificate', async () => {
    const prints = [rootCertificates[0], rootCertificates[1]].map(async (pem = '') => {
      const cluster = new MemoryCluster(secretOf({ 'ca.crt': pem }));
      return (await credentialsOf(registryOf({ tlsSecret: 's' }), resolved, cluster)).trust;
    });
    const [first, second] = await Promise.all(prints);
    expect(first?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(first?.fingerprint).not.toBe(second?.fingerprint);
  });

  it.each([
    ['no such key', {}, /no key "ca\.crt"/],
    ['no PEM (predecessor, bug 12)', { 'ca.crt': 'secret!' }, /holds no PEM/],
    ['a private key', { 'ca.crt': `${certificate}\n${key}` }, /also holds PRIVATE KEY/],
    [
      'a broken certificate',
      { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      /cannot be read/,
    ],
  ])('refuses a Secret with %s, and says nothing of what is in it', async (_, texts, message) => {
    const cluster = new MemoryCluster(secretOf(texts));
    const failure = await failureOf(
      credentialsOf(registryOf({ tlsSecret: 's' }), resolved, cluster),
    );
    expect(failure).toMatchObject({
      reason: 'TlsSecretInvalid',
      message: expect.stringMatching(message),
    });
    expect(String(failure)).not.toContain('secret!');
  });

  it('says which Secret is missing', async () => {
    const registry = registryOf({ authenticationSecret: 's' });
    const failure = await failureOf(credentialsOf(registry, resolved, new MemoryCluster()));
    expect(failure).toBeInstanceOf(CredentialsError);
    expect(failure).toMatchObject({ reason: 'TlsSecretNotFound' });
  });

  it('asks for no certificate where plain HTTP is spoken', async () => {
    const registry = registryOf({ tlsSecret: 's', insecure: true });
    const credentials = await credentialsOf(
      registry,
      { ...resolved, insecure: true },
      new MemoryCluster(),
    );
    expect(credentials.trust).toBeUndefined();
  });
});

describe('credentialsOf(): login', () => {
  const config = (...hosts: readonly string[]): Record<string, string> => ({
    '.dockerconfigjson': JSON.stringify({
      auths: Object.fromEntries(hosts.map((host) => [host, { auth: 'bTpzZWNyZXQ=' }])),
    }),
  });
  const label = { 'reposure.puccini.cloud/registry': 'default' };
  const pair = { username: 'me', password: 'hunter2', note: 'not for the surrogate' };

  it.each([
    ['the host', config('reg.example.com:5000'), {}, ['.dockerconfigjson']],
    ['the host as a URL', config('https://REG.example.com:5000/v2/'), {}, ['.dockerconfigjson']],
    ['the Registry, by a label', pair, label, ['username', 'password']],
    ['the Registry, with a token', { token: 'abc' }, label, ['token']],
  ])('admits a Secret that names %s', async (_, texts, labels, keys) => {
    const cluster = new MemoryCluster(secretOf(texts, labels));
    const registry = registryOf({ loginSecret: 's' });
    const { login, refusal } = await credentialsOf(registry, resolved, cluster);
    expect(refusal).toBeUndefined();
    expect(login).toMatchObject({ secret: 's', keys });
  });

  it.each([
    ['another host', config('other.example.com'), {}, 'LoginNotForHost'],
    ['another port', config('reg.example.com'), {}, 'LoginNotForHost'],
    ['a longer host', config('reg.example.com:5000.evil.test'), {}, 'LoginNotForHost'],
    ['no host and no Registry', pair, {}, 'LoginNotForRegistry'],
    [
      'another Registry',
      pair,
      { 'reposure.puccini.cloud/registry': 'other' },
      'LoginNotForRegistry',
    ],
    ['no login', { note: 'x' }, label, 'LoginSecretInvalid'],
    ['no JSON', { '.dockerconfigjson': 'hunter2' }, {}, 'LoginSecretInvalid'],
  ])('leaves out a Secret that names %s', async (_, texts, labels, reason) => {
    const cluster = new MemoryCluster(secretOf(texts, labels));
    const registry = registryOf({ loginSecret: 's' });
    const { login, refusal } = await credentialsOf(registry, resolved, cluster);
    expect(login).toBeUndefined();
    expect(refusal).toMatchObject({ reason });
    expect(refusal?.message).not.toMatch(/hunter2|bTpzZWNyZXQ/);
  });

  it.each([
    [{}, 'LoginOverPlainHttp'],
    [{ insecure: false }, 'LoginOverPlainHttp'],
    [{ insecure: true }, undefined],
  ])('sends a login over plain HTTP only if the spec says so: %j', async (spec, reason) => {
    const cluster = new MemoryCluster(secretOf(config('reg.example.com:5000')));
    const { refusal } = await credentialsOf(
      registryOf({ loginSecret: 's', ...spec }),
      { ...resolved, insecure: true },
      cluster,
    );
    expect(refusal?.reason).toBe(reason);
  });

  it('says which Secret is missing', async () => {
    const registry = registryOf({ authorizationSecret: 's' });
    const failure = await failureOf(credentialsOf(registry, resolved, new MemoryCluster()));
    expect(failure).toMatchObject({ reason: 'LoginSecretNotFound' });
  });
});
