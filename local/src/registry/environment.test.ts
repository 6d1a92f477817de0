import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { registryFromEnvironment } from './environment.ts';

describe('registryFromEnvironment()', () => {
  it('has the defaults of Distribution', () => {
    expect(registryFromEnvironment({})).toMatchObject({
      host: '',
      port: 5000,
      directory: '/var/lib/registry',
      deletes: false,
      readOnly: false,
    });
  });

  it.each([
    [':5001', '', 5001],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:80', '::1', 80],
    ['localhost:443', 'localhost', 443],
  ])('reads the address %s', (text, host, port) => {
    const options = registryFromEnvironment({ REGISTRY_HTTP_ADDR: text });
    expect(options).toMatchObject({ host, port });
  });

  it('reads folder, deletes and login', () => {
    const options = registryFromEnvironment({
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/data',
      REGISTRY_STORAGE_DELETE_ENABLED: 'true',
      REGISTRY_AUTH: 'htpasswd',
      REGISTRY_AUTH_HTPASSWD_PATH: '/auth/htpasswd',
      REGISTRY_AUTH_HTPASSWD_REALM: 'here',
    });
    expect(options).toMatchObject({
      directory: '/data',
      deletes: true,
      htpasswdFile: '/auth/htpasswd',
      realm: 'here',
    });
  });

  it('reads the certificate and key that it names', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reposure-environment-'));
    try {
      const [cert, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
      await Promise.all([writeFile(cert, 'CERT'), writeFile(key, 'KEY')]);
      const env = { REGISTRY_HTTP_TLS_CERTIFICATE: cert, REGISTRY_HTTP_TLS_KEY: key };
      expect(registryFromEnvironment(env).tls).toEqual({ cert: 'CERT', key: 'KEY' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    [{ REGISTRY_HTTP_ADDR: '5000' }],
    [{ REGISTRY_HTTP_ADDR: ':70000' }],
    [{ REGISTRY_AUTH: 'token' }],
    [{ REGISTRY_AUTH: 'htpasswd' }],
    [{ REGISTRY_STORAGE_DELETE_ENABLED: 'yes' }],
    [{ REGISTRY_HTTP_TLS_CERTIFICATE: '/tls.crt' }],
    [{ REGISTRY_HTTP_TLS_CERTIFICATE: '/no/tls.crt', REGISTRY_HTTP_TLS_KEY: '/no/tls.key' }],
  ])('refuses %o', (env) => {
    expect(() => registryFromEnvironment(env)).toThrow(InputError);
  });
});
