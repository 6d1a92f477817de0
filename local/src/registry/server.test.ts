import { execFileSync } from 'node:child_process';
import { get } from 'node:https';

import { InputError } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { startFixture } from './test/fixture.ts';

/** A certificate for 127.0.0.1 and its key in one PEM, or nothing where there is no openssl. */
function makePem(): string | undefined {
  const subject = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', '-days', '2', ...key, ...subject, '-keyout', '-', '-out', '-'];
  const tool = 'openssl';
  try {
    return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

const pem = makePem();

describe('startRegistry()', () => {
  it.skipIf(!pem)('serves TLS with the certificate that it is given', async () => {
    await using fixture = await startFixture({ tls: { cert: pem ?? '', key: pem ?? '' } });
    const { port } = fixture.registry;
    const options = { host: '127.0.0.1', port, path: '/v2/', ca: pem, agent: false };
    const status = await new Promise((resolve, reject) => {
      const request = get(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
    });
    expect(status).toBe(200);
  });

  it('refuses a certificate that is none', async () => {
    await expect(startFixture({ tls: { cert: 'a', key: 'b' } })).rejects.toThrow(InputError);
  });

  it('says when its port is taken', async () => {
    await using first = await startFixture();
    const second = startFixture({ port: first.registry.port });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('is reached by its host on every interface', async () => {
    await using fixture = await startFixture({ host: '' });
    expect(fixture.registry.host).toBe(`127.0.0.1:${fixture.registry.port}`);
    expect((await fixture.send('GET', '/v2/')).status).toBe(200);
  });
});
