import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import {
  findDistribution,
  startDistribution,
  writeCertificates,
} from '../../../test/support/registries.ts';
import { digestOf } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { directTransport } from './direct.ts';
import { AuthenticationError } from './registry-error.ts';
import { startTestServer } from './test/server.ts';

const service = 'the registry';
const issuer = 'the token service';
const login = `Basic ${Buffer.from('someone:secret').toString('base64')}`;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

interface Signer {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

async function makeSigner(): Promise<Signer> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-signer-'));
  try {
    const ca = await writeCertificates(directory);
    const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
    return { ca, certificate: await read('tls.crt'), key: await read('tls.key') };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What a token service signs: whoever logs in may do what they ask for, others may pull. */
function tokenFor(signer: Signer, scopes: readonly string[], isLoggedIn: boolean): string {
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':');
    return { type, name, actions: isLoggedIn ? actions.split(',') : ['pull'] };
  });
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: service, iat: now, nbf: now - 10, exp: now + 300, access };
  const x5c = [new X509Certificate(signer.certificate).raw.toString('base64')];
  const parts = [
    { typ: 'JWT', alg: 'ES256', x5c },
    { ...claims, sub: 'someone', jti: randomUUID() },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const text = parts.join('.');
  const key = { key: createPrivateKey(signer.key), dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function passOn(host: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const onward = forward(`http://${host}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  request.pipe(onward);
}

describe.each(['2', '3'] as const)('a token service before Distribution %s', (version) => {
  async function connect(credentials?: Credentials): Promise<RegistryClient> {
    const signer = await makeSigner();
    let upstream = '';
    // Registry and token service share an address: another private one would be refused.
    const front = await startTestServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      if (pathname !== '/token') return passOn(upstream, request, response);
      const isLoggedIn = request.headers.authorization === login;
      const token = tokenFor(signer, searchParams.getAll('scope'), isLoggedIn);
      response.end(JSON.stringify({ token, expires_in: 300 }));
    });
    opened.push(front);
    const token = { realm: `http://${front.host}/token`, service, issuer, roots: signer.ca };
    const registry = await startDistribution({ version, token });
    if (!registry) throw new Error('there is no such registry');
    opened.push(registry);
    upstream = registry.host;
    const transport = directTransport({
      host: front.host,
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
