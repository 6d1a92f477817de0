import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { makeServerCertificate } from '../certificates.ts';
import { resourceTypes } from './resource-types.ts';
import { answer, refuse, startApiServer } from './test/api-server.ts';
import type { ApiServer } from './test/api-server.ts';

/** A server that takes one token, and tells what it was sent. */
async function guardedBy(
  token: () => string,
): Promise<ApiServer & { sent: IncomingHttpHeaders[] }> {
  const sent: IncomingHttpHeaders[] = [];
  const api = await startApiServer((request, response) => {
    sent.push(request.headers);
    if (request.headers.authorization === token()) answer(response, { kind: 'Namespace' });
    else refuse(response, 401, 'Unauthorized', 'Unauthorized');
  });
  return Object.assign(api, { sent });
}

const ask = async (
  api: ApiServer,
  fields: Parameters<ApiServer['open']>[0],
  env = {},
): Promise<unknown> =>
  (await api.open(fields, { env }))
    .get(resourceTypes.Namespace, 'n')
    .catch((error: unknown) => error);

describe('logging in', () => {
  it.each([
    ['a token', { token: 'abc' }, 'Bearer abc'],
    ['a name and a password', { username: 'me', password: 'p:w' }, 'Basic bWU6cDp3'],
  ])('sends %s', async (_, user, expected) => {
    await using api = await guardedBy(() => expected);
    await expect(ask(api, { user })).resolves.toEqual({ kind: 'Namespace' });
  });

  it('reads a token file again when the server no longer takes what was in it', async () => {
    let token = 'Bearer one';
    await using api = await guardedBy(() => token);
    const tokenFile = join(api.folder, 'token');
    await writeFile(tokenFile, 'one\n');
    const client = await api.open({ user: { tokenFile: 'token', token: 'older' } });
    await client.get(resourceTypes.Namespace, 'n');
    token = 'Bearer two';
    await writeFile(tokenFile, 'two\n');
    await expect(client.get(resourceTypes.Namespace, 'n')).resolves.toBeTruthy();
  });

  it('impersonates', async () => {
    await using api = await guardedBy(() => 'Bearer abc');
    const user = {
      token: 'abc',
      as: 'jane',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'x/y': ['1'] },
    };
    await ask(api, { user });
    expect(api.sent[0]).toMatchObject({
      'impersonate-user': 'jane',
      'impersonate-group': 'a, b',
      'impersonate-extra-x%2fy': '1',
    });
  });

  it('names the file that it cannot read', async () => {
    await using api = await guardedBy(() => '');
    const failure = await ask(api, { user: { 'client-certificate': 'absent.crt' } });
    expect(failure).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    expect(String(failure)).toContain(join(api.folder, 'absent.crt'));
  });

  it('shows a client certificate', async () => {
    const mine = await makeServerCertificate({ dnsNames: ['jane'], addresses: [] });
    let name: string | undefined;
    await using api = await startApiServer(
      (request, response) => {
        name = String((request.socket as TLSSocket).getPeerCertificate().subject.CN);
        answer(response, {});
      },
      // Whether it is trusted, and for what, is the server's business.
      { requestCert: true, rejectUnauthorized: false },
    );
    const user = {
      'client-certificate-data': Buffer.from(mine.certificatePem).toString('base64'),
      'client-key-data': Buffer.from(mine.keyPem).toString('base64'),
    };
    await expect(ask(api, { user })).resolves.toEqual({});
    expect(name).toBe('jane');
  });
});

describe('exec plugins', () => {
  async function plugin(api: ApiServer, script: string): Promise<string> {
    const path = join(api.folder, 'plugin');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return './plugin';
  }
  const exec = (command: string, more = {}): { user: object } => ({
    user: {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command,
        interactiveMode: 'Never',
        ...more,
      },
    },
  });
  const env = { PATH: process.env['PATH'] };

  it('runs once, knows the cluster, and again when its token is refused', async () => {
    let token = 'Bearer t1';
    await using api = await guardedBy(() => token);
    const command = await plugin(
      api,
      `echo run >> "$LOG"; echo "$KUBERNETES_EXEC_INFO" > "$LOG.info"
       printf '{"status":{"token":"t%s"}}' "$(grep -c run "$LOG")"`,
    );
    const log = join(api.folder, 'log');
    const fields = exec(command, { env: [{ name: 'LOG', value: log }], provideClusterInfo: true });
    const client = await api.open(fields, { env });
    await client.get(resourceTypes.Namespace, 'n');
    await client.get(resourceTypes.Namespace, 'n');
    expect(api.sent).toHaveLength(2);
    token = 'Bearer t2';
    await client.get(resourceTypes.Namespace, 'n');
    expect(api.sent).toHaveLength(4);
    expect(JSON.parse(await readFile(`${log}.info`, 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: api.url,
          'certificate-authority-data': Buffer.from(api.caPem).toString('base64'),
        },
      },
    });
  });

  it.each([
    ['fails', 'echo "please log in" >&2; exit 4', /ended with 4: please log in/],
    ['prints no JSON', 'echo s3cret', /printed something that is no JSON/],
    ['prints something else', 'echo \'{"a":"s3cret"}\'', /printed no ExecCredential/],
    ['prints no token', 'echo \'{"status":{}}\'', /printed neither a token nor/],
  ])('says that one %s', async (_, script, message) => {
    await using api = await guardedBy(() => '');
    const failure = await ask(api, exec(await plugin(api, script)), env);
    expect(failure).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain('s3cret');
  });

  it('says that one is not installed, with its hint', async () => {
    await using api = await guardedBy(() => '');
    const failure = await ask(api, exec('no-such-plugin', { installHint: 'get it at x' }), env);
    expect(String(failure)).toMatch(
      /"no-such-plugin" of user "tester" .* is not installed; get it at x/,
    );
  });
});

describe('trust', () => {
  it('refuses a certificate of another CA, and says where to put the right one', async () => {
    await using api = await guardedBy(() => '');
    const { caPem } = await makeServerCertificate({ dnsNames: [], addresses: [] });
    const cluster = { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
    const failure = await ask(api, { cluster });
    expect(failure).toMatchObject({ code: 'KUBECONFIG_INVALID', isTransient: false });
    expect(String(failure)).toMatch(
      /certificate is not trusted; want the right certificate-authority/,
    );
    expect(api.sent).toEqual([]);
  });

  it('trusts a certificate for tls-server-name only, and anything where it is told to', async () => {
    await using api = await startApiServer((_, response) => answer(response, {}));
    const named = (name: string): object => ({ 'tls-server-name': name });
    await expect(ask(api, { cluster: named('cluster.test') })).resolves.toEqual({});
    await expect(ask(api, { cluster: named('other.test') })).resolves.toMatchObject({
      code: 'KUBECONFIG_INVALID',
    });
    const insecure = { 'certificate-authority-data': '', 'insecure-skip-tls-verify': true };
    await expect(ask(api, { cluster: insecure })).resolves.toEqual({});
  });
});

describe('proxies', () => {
  it.each(['proxy-url', 'HTTPS_PROXY', 'NO_PROXY'])('%s is kept to', async (by) => {
    await using api = await startApiServer((_, response) => answer(response, {}));
    const tunnels: string[] = [];
    const sockets: Socket[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const onward = connect(api.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
      sockets.push(socket, onward);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const env = { HTTPS_PROXY: proxyUrl, ...(by === 'NO_PROXY' && { NO_PROXY: '127.0.0.1' }) };
    const fields = by === 'proxy-url' ? { cluster: { 'proxy-url': proxyUrl } } : {};
    await expect(ask(api, fields, by === 'proxy-url' ? {} : env)).resolves.toEqual({});
    expect(tunnels).toEqual(by === 'NO_PROXY' ? [] : [`127.0.0.1:${api.port}`]);
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});
