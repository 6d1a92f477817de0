import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { collect, streamOf } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import type { RegistryRequest, Transport } from '../registry/transport.ts';
import { contentDigestOf } from './content-digest.ts';
import { farErrorOf } from './far-error.ts';
import { keyIdOf, newGatewayKey } from './gateway-keys.ts';
import { signatureHeaders, verifySignature } from './message-signature.ts';
import { signedGateway } from './signed-gateway.ts';
import { signableRequest } from './signed-messages.ts';
import { startGateway } from './test/support.ts';

const keys = { read: [newGatewayKey(), newGatewayKey()], write: [newGatewayKey()] };
const [read = '', previous = ''] = keys.read;
const [write = ''] = keys.write;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly body?: Buffer | undefined;
  readonly headers?: Record<string, string>;
  readonly key?: string;
  readonly createdSeconds?: number;
  readonly nonce?: string;
  /** What somebody on the way makes of it. */
  readonly tampered?: Omit<Call, 'tampered'>;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A gateway to a registry that remembers what it was asked. */
async function gateway(
  answer: (request: RegistryRequest) => Promise<Partial<Answer>> = async () => ({}),
): Promise<{ host: string; asked: (RegistryRequest & { bytes: Buffer })[] }> {
  const asked: (RegistryRequest & { bytes: Buffer })[] = [];
  const upstream: Transport = async (request) => {
    const { body = streamOf() } = request;
    const source = body instanceof Uint8Array ? streamOf(body) : body;
    asked.push({ ...request, bytes: await collect(source, 'it', 1 << 24) });
    const given = await answer(request);
    const bytes = given.body ?? Buffer.from('hello');
    const { status = 200, headers = {} } = given;
    return { status, headers, body: streamOf(bytes), discard: async () => {} };
  };
  const handler = signedGateway({ upstream, keys: async () => keys, now: clockOfRunning() });
  const server = await startGateway(handler);
  cleanups.push(server.close);
  return { host: server.host, asked };
}

/** The clock of a gateway that has been there for a minute: one that has just started refuses at first. */
function clockOfRunning(): () => number {
  let hasStarted = false;
  return () => {
    const ago = hasStarted ? 0 : 60_000;
    hasStarted = true;
    return Date.now() - ago;
  };
}

async function call(host: string, given: Call = {}): Promise<Answer> {
  const { method = 'GET', path = '/v2/', body, headers = {}, key = write } = given;
  const covered = { ...headers, ...(body && { 'content-digest': contentDigestOf(body) }) };
  const facts = {
    key,
    keyId: keyIdOf(key),
    createdSeconds: given.createdSeconds ?? nowSeconds(),
    nonce: given.nonce ?? randomBytes(16).toString('base64url'),
  };
  const derived = ['@method', '@path', '@query'];
  const seal = await signatureHeaders(signableRequest(method, path, covered), derived, facts);
  const sent = { method, path, body, ...given.tampered };
  const all = { ...covered, ...seal, ...given.tampered?.headers };
  return await raw(host, { ...sent, headers: all });
}

async function raw(host: string, { method, path, body, headers }: Call): Promise<Answer> {
  const request = httpRequest(`http://${host}${path}`, { method, headers, agent: false });
  request.end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  const entries = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(entries),
    body: await collect(response, 'it', 1 << 24),
  };
}

const manifest = Buffer.from('{"a":1}');
const put: Call = {
  method: 'PUT',
  path: '/v2/a/manifests/1?x=1',
  body: manifest,
  headers: { 'content-type': 'application/json' },
};
const patch: Call = { method: 'PATCH', path: '/v2/a/blobs/uploads/1', headers: {} };

describe('signedGateway()', () => {
  it('serves what is signed, with the headers that are covered', async () => {
    const { host, asked } = await gateway();
    const answer = await call(host, {
      ...put,
      tampered: { headers: { accept: 'c/d', 'content-range': '0-6' } },
    });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'hello']);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'PUT', path: '/v2/a/manifests/1?x=1' });
    expect(asked[0]?.headers).toEqual({ 'content-type': 'application/json' });
    expect(asked[0]?.bytes).toEqual(manifest);
  });

  it.each<[string, Call, number]>([
    ['no signature', { tampered: { headers: { signature: '' } } }, 401],
    ['another method', { ...put, tampered: { method: 'POST' } }, 401],
    ['another path', { ...put, tampered: { path: '/v2/b/manifests/1?x=1' } }, 401],
    ['another query', { ...put, tampered: { path: '/v2/a/manifests/1?x=2' } }, 401],
    ['another type', { ...put, tampered: { headers: { 'content-type': 'b/c' } } }, 401],
    ['another body', { ...put, tampered: { body: Buffer.from('{"a":2}') } }, 502],
    ['a body of its own', { ...put, tampered: { body: Buffer.alloc(0) } }, 502],
    [
      'another range',
      {
        ...patch,
        headers: { 'content-range': '0-4' },
        tampered: { headers: { 'content-range': '1-5' } },
      },
      401,
    ],
    ['a key of nobody', { key: newGatewayKey() }, 401],
    ['a nonce that is hardly one', { nonce: 'x' }, 401],
    ['a nonce without end', { nonce: 'x'.repeat(65) }, 401],
  ])('refuses a request with %s', async (_, given, status) => {
    const { host, asked } = await gateway();
    expect((await call(host, given)).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('refuses a manifest that the signature does not cover', async () => {
    const { host, asked } = await gateway();
    const answer = await call(host, { ...put, body: undefined, tampered: { body: manifest } });
    expect(farErrorOf(answer, '')?.message).toMatch(/signature does not cover its body/);
    expect(asked).toEqual([]);
  });

  it('passes the bytes of an upload on, though nothing covers them', async () => {
    const { host, asked } = await gateway(async () => ({ status: 202, body: Buffer.alloc(0) }));
    const bytes = randomBytes(100_000);
    const answer = await call(host, { ...patch, tampered: { body: bytes } });
    expect(answer.status).toBe(202);
    expect(asked[0]?.bytes).toEqual(bytes);
  });

  it('takes a request once, and says so with a signature', async () => {
    const { host, asked } = await gateway();
    const same = { nonce: 'n'.repeat(20), createdSeconds: nowSeconds() };
    expect((await call(host, same)).status).toBe(200);
    const again = await call(host, same);
    expect([again.status, again.headers['reposure-refusal']]).toEqual([401, 'seen']);
    expect(again.headers).toHaveProperty('signature');
    expect(asked).toHaveLength(1);
  });

  it.each([-301, 4])('refuses what was signed %d s from now, and says its time', async (offset) => {
    const { host, asked } = await gateway();
    const answer = await call(host, { createdSeconds: nowSeconds() + offset });
    expect([answer.status, answer.headers['reposure-refusal']]).toEqual([401, 'time']);
    const { createdSeconds } = await verifySignature(answer, {
      keyOf: () => write,
      required: ['@status'],
    });
    expect(Math.abs(createdSeconds - nowSeconds())).toBeLessThan(30);
    expect(asked).toEqual([]);
  });

  it('lets the keys for reading read, the current and the previous one', async () => {
    const { host, asked } = await gateway();
    expect((await call(host, { key: read })).status).toBe(200);
    expect((await call(host, { key: previous, method: 'HEAD' })).status).toBe(200);
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      const answer = await call(host, { method, key: read, path: '/v2/a/blobs/uploads/1' });
      expect(answer.status).toBe(403);
      expect(farErrorOf(answer, '')).toMatchObject({ code: 'AUTHENTICATION' });
    }
    const path = `/v2/a/_reposure/diff-ids/sha256:${'0'.repeat(64)}`;
    expect((await call(host, { key: read, path })).status).toBe(403);
    expect(asked).toHaveLength(2);
  });

  it('covers what it answers, and binds it to the request', async () => {
    const { host } = await gateway(async () => ({
      status: 201,
      headers: {
        location: 'https://registry.ci.svc/v2/a/manifests/1',
        'docker-content-digest': 'sha256:1',
        'cache-control': 'max-age=1',
        'content-type': 'text/html; charset=utf-8',
      },
      body: Buffer.from('<a href="/">'),
    }));
    const answer = await call(host, { ...put, nonce: 'm'.repeat(20) });
    const { covered, nonce } = await verifySignature(answer, {
      keyOf: (id) => (id === keyIdOf(write) ? write : undefined),
      required: ['@status'],
    });
    expect(nonce).toBe('m'.repeat(20));
    expect([...covered].toSorted()).toEqual([
      '@status',
      'content-digest',
      'content-length',
      'content-type',
      'docker-content-digest',
      'reposure-location',
    ]);
    expect(answer.headers).toMatchObject({
      'reposure-location': '/v2/a/manifests/1',
      'content-digest': contentDigestOf(answer.body),
      'content-type': 'text/plain',
    });
  });

  it('leaves the bytes of a blob to its reader', async () => {
    const { host } = await gateway(async () => ({ headers: { 'content-length': '5' } }));
    const answer = await call(host, { path: '/v2/a/blobs/sha256:1' });
    expect(answer.headers).not.toHaveProperty('content-digest');
    expect(answer.headers['signature-input']).toContain('"content-length"');
    expect(answer.body.toString()).toBe('hello');
  });

  it('signs what it has to say itself', async () => {
    const { host } = await gateway(async () => {
      throw new UnreachableError('Cannot reach registry r: nothing listens there');
    });
    const answer = await call(host, { method: 'HEAD' });
    expect(answer.headers['signature-input']).toContain('reposure-error');
    expect(farErrorOf(answer, '')).toMatchObject({ code: 'UNREACHABLE', isTransient: true });
  });

  it('holds no more of an answer than a manifest may have', async () => {
    const { host } = await gateway(async () => ({ body: Buffer.alloc(5 << 20) }));
    const answer = await call(host, { path: '/v2/a/tags/list' });
    expect(farErrorOf(answer, '')).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it.each(['/v2/../admin', '/metrics', '/v2/a%2fb'])(
    'does not pass on %s, whoever signs it',
    async (path) => {
      const { host, asked } = await gateway();
      expect((await call(host, { path })).status).toBeGreaterThan(399);
      expect(asked).toEqual([]);
    },
  );

  it('refuses a path that is none', async () => {
    const { host, asked } = await gateway();
    expect((await call(host, { tampered: { path: '/v2/%zz' } })).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it('refuses every request as long as it has no keys', async () => {
    const upstream: Transport = async () => {
      throw new UnreachableError('x');
    };
    const server = await startGateway(
      signedGateway({ upstream, keys: async () => ({ read: [], write: [] }) }),
    );
    cleanups.push(server.close);
    const answer = await call(server.host);
    expect([answer.status, answer.headers['reposure-refusal']]).toEqual([401, 'key']);
    expect(answer.body.toString()).toContain('no key yet');
  });
});
