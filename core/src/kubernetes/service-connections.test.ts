import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { makeServerCertificate } from '../certificates.ts';
import { startApiServer } from './test/api-server.ts';
import type { ApiServer } from './test/api-server.ts';

/** What a Service says by the proxy of the API server, or why it says nothing. */
async function ask(
  api: ApiServer,
  fields: Parameters<ApiServer['open']>[0],
  env = {},
): Promise<unknown> {
  const client = await api.open(fields, { env });
  try {
    const answer = await client.requestService({
      namespace: 'ci',
      service: 'https:store:gateway',
      method: 'GET',
      path: '/v2/',
      headers: async () => ({}),
      isFromService: () => true,
    });
    return (await collect(answer.body, 'it', 1000)).toString();
  } catch (error) {
    return error;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('requests to Services', () => {
  it('go to a certificate for tls-server-name only, or to any where that is wanted', async () => {
    await using api = await startApiServer((_, response) => response.end('hello'));
    const named = (name: string): object => ({ cluster: { 'tls-server-name': name } });
    expect(await ask(api, named('cluster.test'))).toBe('hello');
    expect(await ask(api, named('other.test'))).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    const { caPem } = await makeServerCertificate({ dnsNames: [], addresses: [] });
    const distrusted = { 'certificate-authority-data': base64(caPem) };
    expect(await ask(api, { cluster: distrusted })).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    const insecure = { 'certificate-authority-data': '', 'insecure-skip-tls-verify': true };
    expect(await ask(api, { cluster: insecure })).toBe('hello');
  });

  it('show a client certificate', async () => {
    const mine = await makeServerCertificate({ dnsNames: ['jane'], addresses: [] });
    await using api = await startApiServer(
      (request, response) => {
        response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
      },
      // Whether it is trusted, and for what, is the server's business.
      { requestCert: true, rejectUnauthorized: false },
    );
    const user = {
      'client-certificate-data': base64(mine.certificatePem),
      'client-key-data': base64(mine.keyPem),
    };
    expect(await ask(api, { user })).toBe('jane');
  });

  it('name each group on a line of its own', async () => {
    await using api = await startApiServer((request, response) => {
      const { rawHeaders } = request;
      const groups = rawHeaders.filter((_, at) =>
        /^impersonate-group$/i.test(rawHeaders[at - 1] ?? ''),
      );
      response.end(groups.join('|'));
    });
    const user = { token: 'abc', as: 'jane', 'as-groups': ['a', 'b'] };
    expect(await ask(api, { user })).toBe('a|b');
  });

  it.each(['proxy-url', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY'])('keep to %s', async (by) => {
    await using api = await startApiServer((_, response) => response.end('hello'));
    await using proxy = await startProxy(api.port);
    const variable = by === 'https_proxy' ? by : 'HTTPS_PROXY';
    const env = {
      ...(by !== 'proxy-url' && { [variable]: proxy.url }),
      ...(by === 'NO_PROXY' && { NO_PROXY: '127.0.0.1' }),
    };
    const fields = by === 'proxy-url' ? { cluster: { 'proxy-url': proxy.url } } : {};
    expect(await ask(api, fields, env)).toBe('hello');
    expect(proxy.tunnels).toEqual(by === 'NO_PROXY' ? [] : [`127.0.0.1:${api.port}`]);
  });

  it('are refused behind a SOCKS proxy, with the way that there is', async () => {
    await using api = await startApiServer((_, response) => response.end('hello'));
    const failure = await ask(api, { cluster: { 'proxy-url': 'socks5://127.0.0.1:1' } });
    expect(failure).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/SOCKS proxy .* want the route "exec"$/),
    });
  });
});

async function startProxy(
  port: number,
): Promise<AsyncDisposable & { readonly url: string; readonly tunnels: string[] }> {
  const tunnels: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer();
  server.on('connect', (request, socket: Socket) => {
    tunnels.push(request.url ?? '');
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    sockets.push(socket, onward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
