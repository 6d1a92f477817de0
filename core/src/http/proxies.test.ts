import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectTo } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { makeServerCertificate } from '../certificates.ts';
import { exchange } from './client-exchange.ts';
import { Connections } from './connections.ts';
import { proxyFor } from './proxies.ts';

describe('proxyFor()', () => {
  const proxies = { http: 'http://plain:1', https: 'http://secure:2' };

  it.each([
    ['https://example.com', '', 'secure'],
    ['http://example.com', '', 'plain'],
    ['https://example.com', 'other.com', 'secure'],
    ['https://example.com', 'example.com', undefined],
    ['https://EXAMPLE.com.', 'Example.Com', undefined],
    ['https://a.example.com', 'example.com', undefined],
    ['https://a.example.com', '.example.com', undefined],
    ['https://a.example.com', '*.example.com', undefined],
    ['https://example.com', '*.example.com', 'secure'],
    ['https://notexample.com', 'example.com', 'secure'],
    ['https://example.com', 'a, ,example.com', undefined],
    ['https://example.com', '*', undefined],
    ['https://example.com', '*:80', 'secure'],
    ['http://example.com', '*:80', undefined],
    ['https://example.com:5000', 'example.com:5000', undefined],
    ['https://example.com:5000', 'example.com:443', 'secure'],
    ['https://example.com', 'example.com:443', undefined],
    ['https://10.1.2.3', '10.0.0.0/8', undefined],
    ['https://11.1.2.3', '10.0.0.0/8', 'secure'],
    ['https://10.1.2.3', '10.1.2.3', undefined],
    ['https://10.1.2.3', '10.0.0.0/99', 'secure'],
    ['https://10.example.com', '10.0.0.0/8', 'secure'],
    ['https://[::1]', '::1', undefined],
    ['https://[::1]', '[::1]', undefined],
    ['https://[::1]:99', '[::1]:99', undefined],
    ['https://[::1]:99', '[::1]:98', 'secure'],
    ['https://[fd00::7]', 'fd00::/8', undefined],
  ])('%s with NO_PROXY=%j', (origin, noProxy, host) => {
    expect(proxyFor(new URL(origin), { ...proxies, noProxy })?.hostname).toBe(host);
  });

  it('takes what has no scheme for http, and nothing but http and https', () => {
    const origin = new URL('https://example.com');
    expect(proxyFor(origin, { https: 'proxy:3128' })?.href).toBe('http://proxy:3128/');
    expect(proxyFor(origin, { http: 'http://proxy' })).toBeUndefined();
    for (const https of ['socks5://u:hunter2@proxy', 'http://', 'http://u:hunter2@:x']) {
      expect(() => proxyFor(origin, { https })).toThrow(/^(?!.*hunter2).*want http:/);
    }
  });
});

describe('connections through a proxy', () => {
  const cleanups: (() => unknown)[] = [];
  let tls: { readonly ca: string; readonly cert: string; readonly key: string };
  beforeAll(async () => {
    const made = await makeServerCertificate({ dnsNames: [], addresses: ['127.0.0.1'] });
    tls = { ca: made.caPem, cert: made.certificatePem, key: made.keyPem };
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function listening(server: Server): Promise<string> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  interface Proxy {
    readonly host: string;
    readonly asked: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  }

  async function startProxy(isTls: boolean, status = 200): Promise<Proxy> {
    const asked: Proxy['asked'] = [];
    const server = isTls ? createTlsServer(tls) : createServer();
    server.on('request', ({ url = '', method, headers }, response) => {
      asked.push({ url, headers });
      httpRequest(url, { method, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      }).end();
    });
    server.on('connect', ({ url = '', headers }, socket: Socket) => {
      asked.push({ url, headers });
      socket.on('error', () => {});
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const target = new URL(`http://${url}`);
      const to = connectTo(Number(target.port), target.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\nProxy: us\r\n\r\n');
        socket.pipe(to).pipe(socket);
      }).on('error', () => socket.destroy());
    });
    return { host: await listening(server), asked };
  }

  async function ask(origin: string, proxy: string): Promise<string> {
    const secureContext = createSecureContext({ ca: tls.ca });
    const own = new Connections({ secureContext, proxies: { http: proxy, https: proxy } });
    cleanups.push(() => own.close());
    const answers: string[] = [];
    for (let round = 0; round < 2; round++) {
      const request = { method: 'GET', path: '/x?y', headers: { host: 'h' } };
      const { body } = await exchange(await own.take(origin), request, {
        answerTimeoutMs: 5000,
        silenceTimeoutMs: 5000,
        lost: (cause) => cause,
      });
      answers.push(String(await collect(body, 'it', 1e7)));
    }
    expect(answers[1]).toBe(answers[0]);
    return answers[0] ?? '';
  }

  const big = 'x'.repeat(2_000_000);

  it.each([
    ['http', 'http'],
    ['http', 'https'],
    ['https', 'http'],
    ['https', 'https'],
  ])('reach %s by %s, with its login', async (scheme, proxyScheme) => {
    const listener = (_: unknown, response: { end(text: string): void }): void => response.end(big);
    const server = scheme === 'https' ? createTlsServer(tls, listener) : createServer(listener);
    const host = await listening(server);
    const proxy = await startProxy(proxyScheme === 'https');
    expect(await ask(`${scheme}://${host}`, `${proxyScheme}://user:p%40ss@${proxy.host}`)).toBe(
      big,
    );
    const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    const url = scheme === 'https' ? host : `http://${host}/x?y`;
    expect(proxy.asked[0]).toMatchObject({
      url,
      headers: { 'proxy-authorization': authorization },
    });
    // A tunnel is kept; what a proxy carries is asked of it each time.
    expect(proxy.asked).toHaveLength(scheme === 'https' ? 1 : 2);
  });

  it('fail where the proxy refuses', async () => {
    const proxy = await startProxy(false, 407);
    const failure = ask('https://127.0.0.1:1', `http://${proxy.host}`);
    await expect(failure).rejects.toMatchObject({ code: 'PROXY_REFUSED' });
    await expect(failure).rejects.toThrow(/answered 407/);
  });
});
