import { once } from 'node:events';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { writeCertificates } from '../../../test/support/registries.ts';
import { collect } from '../bytes.ts';
import { issueServerCertificate, makeAuthority } from '../certificates.ts';
import { InputError, isTransient, UnreachableError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { ContentMismatchError, digestOf } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import type { CredentialSource } from './credentials.ts';
import { directTransport } from './direct.ts';
import type { ClosableTransport, DirectOptions } from './direct.ts';
import { exchangeOver } from './exchange.ts';
import { UnsafeRedirectError } from './registry-error.ts';
import { startTestServer } from './test/server.ts';
import type { Answer, TestServer } from './test/server.ts';
import type { RegistryResponse } from './transport.ts';

const dayMs = 24 * 60 * 60 * 1000;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

function keep<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one);
  return one;
}

async function serve(answer: Answer, tls?: { cert: string; key: string }): Promise<TestServer> {
  return keep(await startTestServer(answer, tls));
}

function connect(options: DirectOptions): ClosableTransport {
  return keep(directTransport(options));
}

/** Answers the question how to log in, and hands everything else on. */
function open(answer: Answer): Answer {
  return (request, response) => {
    if (request.url === '/v2/') response.end();
    else answer(request, response);
  };
}

async function certificates(): Promise<{ ca: string; cert: string; key: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-tls-'));
  try {
    const ca = await writeCertificates(directory);
    const [cert, key] = await Promise.all([
      readFile(join(directory, 'tls.crt'), 'utf8'),
      readFile(join(directory, 'tls.key'), 'utf8'),
    ]);
    return { ca, cert, key };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((e: unknown) => e);

async function textOf(response: RegistryResponse): Promise<string> {
  return String(await collect(response.body, 'it', 1e9));
}

const login = (): CredentialSource => () =>
  Promise.resolve({ kind: 'basic', username: 'user', password: 'hunter2' });

describe('directTransport() over TLS', () => {
  it('trusts the CA that it was given, and the server certificate itself', async () => {
    const { ca, cert, key } = await certificates();
    const { host } = await serve((_, response) => response.end('hello'), { cert, key });
    for (const trusted of [ca, cert]) {
      const request = connect({ host, ca: trusted });
      expect(await textOf(await request({ method: 'GET', path: '/v2/' }))).toBe('hello');
    }
  });

  it('says what to do where the certificate is not trusted, and that waiting does not help', async () => {
    const { cert, key } = await certificates();
    const { ca: other } = await certificates();
    const { host } = await serve((_, response) => response.end(), { cert, key });
    for (const options of [{ host }, { host, ca: other }]) {
      const failure = await failureOf(connect(options)({ method: 'GET', path: '/v2/' }));
      expect(failure).toBeInstanceOf(UnreachableError);
      expect(String(failure)).toMatch(/not signed by a CA that is trusted here; want the CA/);
      expect(failure).toMatchObject({ distrust: 'CertificateNotTrusted', isTransient: false });
    }
  });

  it.each([
    [
      'CertificateExpired',
      { dnsNames: ['localhost'], now: -10 * dayMs },
      /has expired; want a renewed/,
    ],
    ['CertificateNotYetValid', { dnsNames: ['localhost'], now: 2 * dayMs }, /is not valid yet/],
    ['CertificateForOtherName', { dnsNames: ['other.test'], now: 0 }, /is for another name/],
  ])('says that waiting does not help: %s', async (distrust, { dnsNames, now }, message) => {
    const names = { dnsNames, addresses: [] };
    const authority = await makeAuthority(new Date(Date.now() - 30 * dayMs));
    const given = { lifeMs: dayMs, now: new Date(Date.now() + now) };
    const { caPem, certificatePem, keyPem } = await issueServerCertificate(authority, names, given);
    const served = { cert: certificatePem, key: keyPem };
    const { host } = await serve((_, response) => response.end(), served);
    const request = connect({ host: host.replace('127.0.0.1', 'localhost'), ca: caPem });
    const failure = await failureOf(request({ method: 'GET', path: '/v2/' }));
    expect(failure).toMatchObject({
      distrust,
      message: expect.stringMatching(message),
      isTransient: false,
    });
  });

  it('does not fall back to plain HTTP, and sends no login there', async () => {
    const server = await serve((_, response) => response.end());
    const request = connect({ host: server.host, credentials: login() });
    const failure = await failureOf(request({ method: 'GET', path: '/v2/' }));
    expect(String(failure)).toMatch(/does not speak TLS; want https there, or insecure/);
    expect(server.arrived).toEqual([]);
  });

  it.each([
    [''],
    ['-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----'],
    ['-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----'],
  ])('refuses a CA without a certificate in it: %j', (ca) => {
    expect(() => directTransport({ host: 'host.io', ca })).toThrow(InputError);
  });
});

describe('directTransport() that does not arrive', () => {
  it('names the host and the reason', async () => {
    const server = await startTestServer(() => {});
    await server.close();
    const request = connect({ host: server.host, insecure: true });
    const failure = await failureOf(request({ method: 'GET', path: '/v2/?secret' }));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).toMatchObject({
      message: `Cannot reach registry ${server.host}: nothing listens there (ECONNREFUSED)`,
      isTransient: true,
    });
  });

  it('names a host that does not exist', async () => {
    const request = connect({ host: 'registry.invalid', insecure: true });
    const failure = await failureOf(request({ method: 'GET', path: '/v2/' }));
    expect(String(failure)).toMatch(/registry\.invalid: its name (?:is not known|could not be)/);
  });

  it('reports a connection that dies in the middle of a body', async () => {
    const server = await serve(
      open((_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('some', () => response.destroy());
      }),
    );
    const request = connect({ host: server.host, insecure: true });
    const response = await request({ method: 'GET', path: '/v2/a/blobs/x' });
    const failure = await failureOf(Array.fromAsync(response.body));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(isTransient(failure)).toBe(true);
  });

  it('reports a connection that dies before the answer', async () => {
    const server = await serve(open((request) => request.socket.destroy()));
    const request = connect({ host: server.host, insecure: true });
    const failure = await failureOf(request({ method: 'GET', path: '/v2/a/tags/list' }));
    expect(failure).toBeInstanceOf(UnreachableError);
  });
});

describe('directTransport() redirects', () => {
  const path = '/v2/a/blobs/x';
  const headers = { range: 'bytes=1-', 'x-other': '1' };

  it('fetches a blob from its storage without the login', async () => {
    const storage = await serve((_, response) => response.end('blob'));
    const registry = await serve((request, response) => {
      if (!request.headers.authorization) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else response.writeHead(307, { location: `http://${storage.host}/blob?sig=1` }).end();
    });
    const request = connect({ host: registry.host, insecure: true, credentials: login() });
    expect(await textOf(await request({ method: 'GET', path, headers }))).toBe('blob');
    const [arrived] = storage.arrived;
    expect(arrived).toMatchObject({ url: '/blob?sig=1', headers: { range: 'bytes=1-' } });
    expect(arrived?.headers).not.toHaveProperty('authorization');
    expect(arrived?.headers).not.toHaveProperty('x-other');
  });

  it('stays logged in at the same origin', async () => {
    const registry = await serve((request, response) => {
      if (!request.headers.authorization) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (request.url === path) response.writeHead(302, { location: '/storage/x' }).end();
      else response.end('blob');
    });
    const request = connect({ host: registry.host, insecure: true, credentials: login() });
    expect(await textOf(await request({ method: 'GET', path }))).toBe('blob');
  });

  it('does not ask the metadata service of a cloud (CVE-2026-48978)', async () => {
    const location = 'http://169.254.169.254/latest/meta-data';
    const registry = await serve(
      open((_, response) => response.writeHead(307, { location }).end()),
    );
    const request = connect({ host: registry.host, insecure: true });
    expect(await failureOf(request({ method: 'GET', path }))).toBeInstanceOf(UnsafeRedirectError);
  });

  it('checks every redirect, not only the first one', async () => {
    const location = 'http://169.254.169.254/latest/meta-data';
    const storage = await serve((_, response) => response.writeHead(307, { location }).end());
    const registry = await serve(
      open((_, response) => response.writeHead(307, { location: `http://${storage.host}/` }).end()),
    );
    const request = connect({ host: registry.host, insecure: true });
    expect(await failureOf(request({ method: 'GET', path }))).toBeInstanceOf(UnsafeRedirectError);
  });

  it('ends where redirects do not', async () => {
    const registry = await serve(
      open((_, response) => response.writeHead(307, { location: path }).end()),
    );
    const request = connect({ host: registry.host, insecure: true });
    expect(String(await failureOf(request({ method: 'GET', path })))).toMatch(/more than 5/);
  });

  it('sends a body nowhere but to the registry', async () => {
    const storage = await serve((_, response) => response.end());
    const registry = await serve(
      open((request, response) => {
        response.writeHead(307, { location: `http://${storage.host}/x` });
        request.resume().once('end', () => response.end());
      }),
    );
    const request = connect({ host: registry.host, insecure: true });
    const body = Buffer.from('body');
    const response = await request({ method: 'PATCH', path: '/v2/a/blobs/uploads/1', body });
    expect(response).toMatchObject({ status: 307, headers: { location: '/x' } });
    await response.discard();
    expect(storage.arrived).toEqual([]);
  });
});

describe('directTransport() streams', () => {
  it('takes from a source only what the registry takes', async () => {
    // It accepts connections, and never reads.
    const stuck = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(stuck, 'listening');
    keep({
      close: async () => {
        stuck.close();
        await once(stuck, 'close');
      },
    });
    stuck.on('connection', (socket) => keep({ close: async () => void socket.destroy() }));
    const address = stuck.address();
    const host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    // Below the login, which would ask a registry first that never answers.
    const exchange = exchangeOver(keep(new Connections()), 'tests');
    const chunk = Buffer.alloc(65_536);
    let taken = 0;
    let isEnded = false;
    async function* source(): AsyncGenerator<Uint8Array, void> {
      try {
        for (; taken < 10_000; taken++) yield chunk;
      } finally {
        isEnded = true;
      }
    }
    const controller = new AbortController();
    const request = {
      method: 'PATCH',
      path: '/x',
      body: source(),
      signal: controller.signal,
    } as const;
    const failing = failureOf(exchange(`http://${host}`, request));
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = taken > 0 && taken === before;
          before = taken;
          return isStill;
        },
        { interval: 100, timeout: 5000 },
      )
      .toBe(true);
    expect(taken).toBeLessThan(1000);
    controller.abort(new Error('enough'));
    expect(await failing).toBe(controller.signal.reason);
    await expect.poll(() => isEnded).toBe(true);
  });

  it('reads from the registry only what its reader reads, and lets go of the rest', async () => {
    let sent = 0;
    let isClosed = false;
    const server = await serve(
      open((request, response) => {
        request.socket.once('close', () => {
          isClosed = true;
        });
        const flood = (): void => {
          do sent += 65_536;
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', flood);
        flood();
      }),
    );
    const request = connect({ host: server.host, insecure: true });
    const response = await request({ method: 'GET', path: '/v2/a/blobs/x' });
    for await (const chunk of response.body) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => isClosed).toBe(true);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('lets go of a body that does not come', async () => {
    const server = await serve(
      open((_, response) => void response.writeHead(200, { 'content-length': 9 }).write('some')),
    );
    const request = connect({ host: server.host, insecure: true });
    const response = await request({ method: 'GET', path: '/v2/a/blobs/x' });
    await response.discard();
    const failure = await failureOf(Array.fromAsync(response.body));
    expect(failure).toBeInstanceOf(UnreachableError);
  });

  it('breaks off while it waits for bytes', async () => {
    const server = await serve(open((_, response) => void response.write('some')));
    const request = connect({ host: server.host, insecure: true });
    const controller = new AbortController();
    const { signal } = controller;
    const response = await request({ method: 'GET', path: '/v2/a/blobs/x', signal });
    const chunks = response.body[Symbol.asyncIterator]();
    await chunks.next();
    const waiting = failureOf(chunks.next());
    controller.abort(new Error('enough'));
    expect(await waiting).toBe(signal.reason);
  });

  it('breaks off while it waits for the question how to log in', async () => {
    const server = await serve(() => {});
    const request = connect({ host: server.host, insecure: true });
    const signal = AbortSignal.timeout(20);
    const failure = await failureOf(request({ method: 'GET', path: '/v2/a/tags/list', signal }));
    expect(failure).toBe(signal.reason);
  });

  it('passes on why a source failed, as it was', async () => {
    const server = await serve(open((request) => void request.resume()));
    const request = connect({ host: server.host, insecure: true });
    const reason = new Error('the disk is gone');
    async function* source(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from('some');
      throw reason;
    }
    const body = source();
    const failure = await failureOf(
      request({ method: 'PATCH', path: '/v2/a/blobs/uploads/1', body }),
    );
    expect(failure).toBe(reason);
  });

  it.each([
    ['shorter', 'abc'],
    ['longer', 'abcdef'],
  ])('refuses to send a source that is %s than announced', async (_, text) => {
    const server = await serve(open((request) => void request.resume()));
    const client = new RegistryClient(connect({ host: server.host, insecure: true }));
    async function* source(): AsyncGenerator<Uint8Array, void> {
      for (const letter of text) yield Buffer.from(letter);
    }
    const upload = { repository: 'a', location: '/v2/a/blobs/uploads/1', offset: 0 };
    const failure = await failureOf(client.appendUpload(upload, source(), { size: 4 }));
    expect(failure).toBeInstanceOf(ContentMismatchError);
  });
});

describe('directTransport() after a connection was lost', () => {
  it('does not trust those that were idle meanwhile', async () => {
    const ports: (number | undefined)[] = [];
    const server = keep(
      await startTestServer((request, response) => {
        ports.push(request.socket.remotePort);
        if (request.url?.endsWith('/lost')) request.socket.destroy();
        // Late, so that two at a time need two connections.
        else setTimeout(() => response.end(), request.url === '/v2/' ? 0 : 50);
      }),
    );
    const transport = keep(directTransport({ host: server.host, insecure: true }));
    const ask = async (path: string): Promise<void> =>
      (await transport({ method: 'GET', path })).discard();
    const other = ask('/v2/a/tags/list');
    await expect(ask('/v2/a/lost')).rejects.toBeInstanceOf(UnreachableError);
    await other;
    const before = new Set(ports);
    await ask('/v2/a/tags/list');
    expect(before.has(ports.at(-1))).toBe(false);
  });
});

describe('directTransport() behind a proxy', () => {
  it('goes through it, but not to what is excepted', async () => {
    const proxy = await serve((request, response) => response.end(`via proxy ${request.url}`));
    const registry = await serve((_, response) => response.end('straight'));
    const at = (noProxy: string): ClosableTransport =>
      connect({
        host: registry.host,
        insecure: true,
        proxies: { http: `http://${proxy.host}`, noProxy },
      });
    const asked = { method: 'GET', path: '/v2/a/tags/list' } as const;
    expect(await textOf(await at('')(asked))).toContain('via proxy');
    expect(await textOf(await at('127.0.0.1')(asked))).toBe('straight');
  });

  it('does not take the proxy of plain HTTP for HTTPS', async () => {
    const { ca, cert, key } = await certificates();
    const proxy = await serve((_, response) => response.end('via proxy'));
    const registry = await serve((_, response) => response.end('straight'), { cert, key });
    const proxies = { http: `http://${proxy.host}` };
    const request = connect({ host: registry.host, ca, proxies });
    expect(await textOf(await request({ method: 'GET', path: '/v2/' }))).toBe('straight');
  });
});

describe('directTransport() answers', () => {
  it('with locations in origin form, and headers joined', async () => {
    const server = await serve(
      open((_, response) => {
        response.setHeader('Location', `https://public.example.com/v2/a/blobs/${digestOf('x')}`);
        response.setHeader('X-Some', ['1', '2']);
        response.writeHead(201).end();
      }),
    );
    const request = connect({ host: server.host, insecure: true });
    const response = await request({ method: 'PUT', path: '/v2/a/manifests/x' });
    await response.discard();
    expect(response.headers).toMatchObject({
      location: `/v2/a/blobs/${digestOf('x')}`,
      'x-some': '1, 2',
    });
    expect(server.arrived[0]?.headers['user-agent']).toMatch(/^reposure\/\d/);
  });
});
