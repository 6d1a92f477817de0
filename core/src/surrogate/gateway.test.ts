import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { TimeoutError, UnreachableError } from '../errors.ts';
import { AuthenticationError, UntrustedError } from '../registry/index.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { FarError, farErrorOf } from './far-error.ts';
import { gatewayHandler } from './gateway.ts';
import { patternBytes, plainTransport, startGateway, startServer } from './test/support.ts';

const MiB = 1024 * 1024;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A gateway behind an HTTP/1.1 server, as the proxy route will use it. */
async function gatewayTo(upstream: Transport, readOnly = false): Promise<string> {
  const server = await startGateway(gatewayHandler({ upstream, readOnly }));
  cleanups.push(server.close);
  return server.host;
}

async function registry(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Transport> {
  const server = await startServer(listener);
  cleanups.push(server.close);
  return plainTransport(server.host);
}

const json = async (answer: RegistryResponse): Promise<unknown> =>
  JSON.parse((await collect(answer.body, 'the answer', MiB)).toString());

/** As it is, where a URL parser would tidy up first. */
async function raw(host: string, line: string): Promise<string> {
  const [, port] = host.split(':');
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('gatewayHandler()', () => {
  it.each([
    'GET /',
    'GET /v1/',
    'GET /v2x/',
    'GET /v2/../admin',
    'GET /v2/a/../../admin',
    'GET /v2/%2e%2e/admin',
    'GET /v2/a/%2E%2E/b',
    'GET /v2/a%2fb/tags/list',
    'GET /v2/a%5cb',
    'GET /v2/a\\b',
    'GET /v2//a',
    'GET //v2/',
    'GET /v2/%252e%252e/a',
    'GET http://169.254.169.254/v2/',
    'GET http://x/v2/',
    'OPTIONS *',
    'GET /v2/a?b#c',
    'GET /metrics',
    'GET /debug/pprof/',
  ])('does not pass on %s', async (line) => {
    let asked = 0;
    const host = await gatewayTo(async () => {
      asked += 1;
      throw new UnreachableError('x');
    });
    expect(await raw(host, line)).toMatch(/^HTTP\/1.1 40[04] /);
    expect(asked).toBe(0);
  });

  it.each(['CONNECT x:443', 'TRACE /v2/', 'OPTIONS /v2/', 'PROPFIND /v2/'])(
    'does not serve %s',
    async (line) => {
      let asked = 0;
      const host = await gatewayTo(async () => {
        asked += 1;
        throw new UnreachableError('x');
      });
      expect(await raw(host, line)).not.toMatch(/ 200 /);
      expect(asked).toBe(0);
    },
  );

  it('lets only reading through when it is read-only', async () => {
    const upstream = await registry((_, response) => response.writeHead(200).end());
    const request = plainTransport(await gatewayTo(upstream, true));
    const statuses: number[] = [];
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'] as const) {
      const answer = await request({ method, path: '/v2/' });
      statuses.push(answer.status);
      await answer.discard();
    }
    expect(statuses).toEqual([200, 200, 405, 405, 405, 405]);
  });

  it('does no work for who may only read', async () => {
    let asked = 0;
    const upstream: Transport = async () => {
      asked += 1;
      throw new UnreachableError('x');
    };
    const path = `/v2/a/_reposure/diff-ids/sha256:${'0'.repeat(64)}`;
    const forReaders = await plainTransport(await gatewayTo(upstream, true))({
      method: 'GET',
      path,
    });
    await forReaders.discard();
    expect([forReaders.status, asked]).toEqual([405, 0]);
    const forWriters = await plainTransport(await gatewayTo(upstream))({ method: 'GET', path });
    await forWriters.discard();
    expect([forWriters.status, asked]).toEqual([502, 1]);
  });

  it('passes no credential on, in either direction', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const upstream = await registry((request, response) => {
      seen.push(request.headers);
      response
        .writeHead(401, {
          'www-authenticate': 'Basic',
          'set-cookie': 'a=b',
          authorization: 'x',
          server: 'y',
          'docker-content-digest': 'sha256:1',
        })
        .end();
    });
    const request = plainTransport(await gatewayTo(upstream));
    const headers = {
      authorization: 'Basic c2VjcmV0',
      cookie: 'a=b',
      'proxy-authorization': 'x',
      'x-forwarded-for': '1.1.1.1',
      accept: 'a/b',
      range: 'bytes=1-',
    };
    const answer = await request({ method: 'GET', path: '/v2/', headers });
    await answer.discard();
    expect(answer.status).toBe(401);
    expect(Object.keys(seen[0] ?? {}).toSorted()).toEqual([
      'accept',
      'connection',
      'host',
      'range',
    ]);
    expect(answer.headers).toMatchObject({ 'docker-content-digest': 'sha256:1' });
    for (const name of ['www-authenticate', 'set-cookie', 'authorization', 'server'])
      expect(answer.headers).not.toHaveProperty(name);
  });

  it.each([
    ['/v2/a/blobs/uploads/1?_state=x%3D%3D', '/v2/a/blobs/uploads/1?_state=x%3D%3D'],
    [
      'https://registry.ns.svc:5000/v2/a/blobs/uploads/1?_state=x',
      '/v2/a/blobs/uploads/1?_state=x',
    ],
    ['1?_state=x', '/v2/a/blobs/uploads/1?_state=x'],
  ])('answers the Location %s in origin form', async (location, expected) => {
    const upstream = await registry((_, response) => response.writeHead(202, { location }).end());
    const answer = await plainTransport(await gatewayTo(upstream))({
      method: 'POST',
      path: '/v2/a/blobs/uploads/',
    });
    await answer.discard();
    expect([answer.status, answer.headers['location']]).toEqual([202, expected]);
  });

  it('refuses an upload that would leave /v2/', async () => {
    const upstream = await registry((_, response) =>
      response.writeHead(202, { location: '/uploads/1' }).end(),
    );
    const answer = await plainTransport(await gatewayTo(upstream))({
      method: 'POST',
      path: '/v2/a/blobs/uploads/',
    });
    await answer.discard();
    expect(farErrorOf(answer, '')).toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('makes the next page relative', async () => {
    const upstream = await registry((_, response) =>
      response.writeHead(200, { link: '<http://r:5000/v2/_catalog?last=a&n=1>; rel="next"' }).end(),
    );
    const answer = await plainTransport(await gatewayTo(upstream))({
      method: 'GET',
      path: '/v2/_catalog?n=1',
    });
    await answer.discard();
    expect(answer.headers['link']).toBe('</v2/_catalog?last=a&n=1>; rel="next"');
  });

  it.each([
    [
      new UnreachableError('Cannot reach registry.ns.svc:5000', {
        cause: new Error('ECONNREFUSED'),
      }),
      502,
      { code: 'UNREACHABLE', isTransient: true },
      UnreachableError,
    ],
    [
      new UntrustedError('Cannot reach registry.ns.svc:5000: expired', 'CertificateExpired'),
      502,
      { code: 'UNREACHABLE', isTransient: false },
      FarError,
    ],
    [
      new AuthenticationError('Cannot log in to registry.ns.svc:5000: it refuses'),
      502,
      { code: 'AUTHENTICATION', isTransient: false },
      AuthenticationError,
    ],
    [
      new TimeoutError('Cannot wait longer for registry.ns.svc:5000'),
      504,
      { code: 'TIMEOUT', isTransient: false },
      TimeoutError,
    ],
    [new RangeError('a mistake of ours'), 502, { code: 'PROTOCOL', isTransient: false }, FarError],
  ])(
    'tells %s as status %d, so that it can be thrown again',
    async (error, status, expected, type) => {
      const request = plainTransport(
        await gatewayTo(async () => {
          throw error;
        }),
      );
      const answer = await request({ method: 'GET', path: '/v2/' });
      const body = await json(answer);
      expect(answer.status).toBe(status);
      expect(body).toMatchObject({
        errors: [{ code: 'UNAVAILABLE', message: expect.stringContaining(error.message) }],
      });
      const far = farErrorOf(answer, '; look there');
      expect(far).toMatchObject({
        ...expected,
        message: expect.stringContaining(error.message),
      });
      expect(far?.message).toContain('(said by the surrogate; look there)');
      expect(far).toBeInstanceOf(type);
    },
  );

  it('streams a chunked body of unknown length to its last byte', async () => {
    const upstream = await registry((request, response) => {
      const hash = createHash('sha256');
      request
        .on('data', (chunk: Buffer) => hash.update(chunk))
        .on('end', () =>
          response.writeHead(201, { 'docker-content-digest': hash.digest('hex') }).end(),
        );
    });
    const answer = await plainTransport(await gatewayTo(upstream))({
      method: 'PATCH',
      path: '/v2/a/blobs/uploads/1',
      body: patternBytes(8 * MiB),
    });
    await answer.discard();
    const hash = createHash('sha256');
    for await (const chunk of patternBytes(8 * MiB)) hash.update(chunk);
    expect(answer.headers['docker-content-digest']).toBe(hash.digest('hex'));
  });

  it('breaks an answer off where the registry does, instead of ending it', async () => {
    const upstream = await registry((_, response) => {
      response.writeHead(200);
      response.write('begun', () => response.destroy());
    });
    const answer = await plainTransport(await gatewayTo(upstream))({
      method: 'GET',
      path: '/v2/a/blobs/sha256:1',
    });
    await expect(json(answer)).rejects.toThrow(/aborted|hang up|closed/);
  });

  it('aborts what it asks of the registry when the client has gone', async () => {
    const asked = Promise.withResolvers<AbortSignal | undefined>();
    const host = await gatewayTo(({ signal }) => {
      asked.resolve(signal);
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('gone'))),
      );
    });
    const client = httpRequest(`http://${host}/v2/`).on('error', () => {});
    client.end();
    const signal = await asked.promise;
    client.destroy();
    if (signal && !signal.aborted) await once(signal, 'abort');
    expect(signal?.aborted).toBe(true);
  });

  it('never lets an upload that was cut look like a whole one', async () => {
    const outcome = Promise.withResolvers<unknown>();
    const server = createServer(
      gatewayHandler({
        upstream: async ({ body }) => {
          try {
            for await (const chunk of body as AsyncIterable<Uint8Array>) void chunk;
            outcome.resolve('whole');
          } catch (error) {
            outcome.resolve(error);
          }
          throw new UnreachableError('x');
        },
      }),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: '/v2/a/blobs/uploads/1',
    }).on('error', () => {});
    client.write('half', () => client.destroy());
    expect(await outcome.promise).toBeInstanceOf(Error);
    server.close();
  });
});
