import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { get as getByTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';

import { sha256Hex, silent } from '@reposure/core';
import { RegistryClient } from '@reposure/core/registry';
import { newGatewayKey, openSession, StdioStream } from '@reposure/core/surrogate';
import type { SurrogateSession } from '@reposure/core/surrogate';
import { afterEach, describe, expect, it } from 'vitest';

import { findDistribution, startDistribution } from '../../../test/support/registries.ts';
import { surrogateMain } from './main.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';
import { maxSessions, takeSlot } from './session-slots.ts';

const program = join(import.meta.dirname, 'test', 'program.ts');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const slotsOf = (directory: string): string =>
  join(tmpdir(), `reposure-sessions-${sha256Hex(directory).slice(0, 16)}`);

/** What is mounted into a surrogate. */
async function mounted(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-surrogate-'));
  cleanups.push(async () => {
    await rm(directory, { recursive: true });
    await rm(slotsOf(directory), { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) await put(directory, name, text);
  return directory;
}

async function put(directory: string, name: string, text: string): Promise<void> {
  await mkdir(dirname(join(directory, name)), { recursive: true });
  await writeFile(join(directory, name), text);
}

const settings = (host: string): string => JSON.stringify({ host, insecure: true });

function start(...args: readonly string[]): {
  child: ChildProcessWithoutNullStreams;
  said: () => string;
  ended: Promise<number | null>;
} {
  return watched(spawn(process.execPath, [program, ...args]));
}

/** As a container runtime runs it: Node's own pipes are sockets. */
function startOnPipes(...args: readonly string[]): ReturnType<typeof start> {
  return watched(spawn('sh', ['-c', 'cat | "$0" "$@" | cat', process.execPath, program, ...args]));
}

function watched(child: ChildProcessWithoutNullStreams): ReturnType<typeof start> {
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.on('error', () => {});
  const ended = once(child, 'exit').then(() => child.exitCode);
  cleanups.push(async () => {
    child.stdin.destroy();
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said: () => text, ended };
}

/** A session with a process of its own. */
async function connected(
  directory: string,
  starting = start,
): Promise<
  Omit<ReturnType<typeof start>, 'child'> & { session: SurrogateSession; hangUp: () => void }
> {
  const { child, said, ended } = starting('serve', `--directory=${directory}`);
  const session = await openSession(new StdioStream(child.stdout, child.stdin), {
    far: 'the surrogate',
    says: said,
  });
  cleanups.push(() => session.close());
  return { session, ended, said, hangUp: () => child.stdin.end() };
}

/** A session with what such a process runs, in this one. */
async function served(
  directory: string,
): Promise<{ session: SurrogateSession; said: () => string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let text = '';
  stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = serve(directory, { stdin, stdout, stderr });
  cleanups.push(() => {
    stdin.end();
    return ended;
  });
  const session = await openSession(new StdioStream(stdout, stdin), { far: 'the surrogate' });
  cleanups.push(() => session.close());
  return { session, said: () => text };
}

/** As the API server does it, which verifies no certificate. @returns Status and body. */
async function getUnverified(url: string): Promise<[number | undefined, string]> {
  const outgoing = getByTls(url, { rejectUnauthorized: false, agent: false });
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return [answer.statusCode, await textOf(answer)];
}

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A registry that takes one login, which a test may change. */
async function guarded(): Promise<{ host: string; allow: (login: string) => void }> {
  let allowed = 'u:one';
  const host = await startServer((request, response) => {
    const isAllowed =
      request.headers.authorization === `Basic ${Buffer.from(allowed).toString('base64')}`;
    response
      .writeHead(isAllowed ? 200 : 401, isAllowed ? {} : { 'www-authenticate': 'Basic realm="x"' })
      .end();
  });
  return { host, allow: (login) => (allowed = login) };
}

const ping = (session: SurrogateSession): Promise<unknown> =>
  session.request({ method: 'GET', path: '/v2/' }).then(
    async (answer) => {
      await answer.discard();
      return answer.status;
    },
    (error: unknown) => error,
  );

describe('reposure-surrogate serve', () => {
  it.skipIf(!findDistribution('3')).each([
    ['sockets', start],
    ['pipes', startOnPipes],
  ])('carries an upload to Distribution and back, over %s', async (_, starting) => {
    const registry = await startDistribution({ version: '3' });
    cleanups.push(() => registry?.close());
    const { session, ended, said, hangUp } = await connected(
      await mounted({ 'config/registry.json': settings(registry?.host ?? '') }),
      starting,
    );
    const client = new RegistryClient(session.request);
    const bytes = randomBytes(5 * 1024 * 1024);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const half = bytes.byteLength / 2;
    const begun = await client.appendUpload(
      await client.startUpload('a/b'),
      bytes.subarray(0, half),
      { size: half },
    );
    const upload = await client.statUpload(begun);
    expect(upload.offset).toBe(half);
    const whole = await client.appendUpload(upload, bytes.subarray(half), { size: half });
    await client.finishUpload(whole, digest as Parameters<typeof client.finishUpload>[1]);
    const answer = await session.request({ method: 'GET', path: `/v2/a/b/blobs/${digest}` });
    const hash = createHash('sha256');
    for await (const chunk of answer.body) hash.update(chunk);
    expect(`sha256:${hash.digest('hex')}`).toBe(digest);
    await session.close();
    hangUp();
    expect([await ended, said()]).toEqual([0, '']);
  });

  it('takes a rotated login, and never says one', async () => {
    const { host, allow } = await guarded();
    const directory = await mounted({
      'config/registry.json': settings(host),
      'login/username': 'u',
      'login/password': 'one',
    });
    const { session, said } = await served(directory);
    expect(await ping(session)).toBe(200);
    allow('u:two');
    const refused = await ping(session);
    expect(refused).toMatchObject({ code: 'AUTHENTICATION' });
    await put(directory, 'login/password', 'two\n');
    expect(await ping(session)).toBe(200);
    expect(`${String(refused)}${said()}`).not.toMatch(/\b(one|two)\b/);
  });

  it('uses a docker config for the host that it names, and runs no helper', async () => {
    const { host } = await guarded();
    const entry = { username: 'u', password: 'one' };
    const named = {
      auths: { [host]: entry },
      credsStore: 'none-such',
      credHelpers: { [host]: 'none-such' },
    };
    const directory = await mounted({
      'config/registry.json': settings(host),
      'login/.dockerconfigjson': JSON.stringify(named),
    });
    const { session } = await served(directory);
    expect(await ping(session)).toBe(200);
    await put(
      directory,
      'login/.dockerconfigjson',
      JSON.stringify({ auths: { 'other:5000': entry } }),
    );
    const { session: another } = await served(directory);
    expect(await ping(another)).toMatchObject({ code: 'AUTHENTICATION' });
  });

  it('follows a registry that has moved, within the same session', async () => {
    const directory = await mounted({
      'config/registry.json': settings(
        await startServer((_, response) => response.writeHead(200).end()),
      ),
    });
    const { session } = await served(directory);
    expect(await ping(session)).toBe(200);
    await put(
      directory,
      'config/registry.json',
      settings(await startServer((_, response) => response.writeHead(204).end())),
    );
    expect(await ping(session)).toBe(204);
  });

  it.each([
    ['no configuration', {}, /there is no .*registry\.json/],
    ['a configuration that is not JSON', { 'config/registry.json': '{' }, /it is not JSON/],
    [
      'a CA without a certificate',
      { 'config/registry.json': '{"host":"r:1"}', 'tls/ca.crt': 'hello' },
      /holds no PEM certificate/,
    ],
    [
      'a registry that is down',
      { 'config/registry.json': '{"host":"127.0.0.1:1","insecure":true}' },
      /127\.0\.0\.1:1/,
    ],
  ])('tells the client of %s', async (_, files, message) => {
    const { session } = await served(await mounted(files));
    expect(await ping(session)).toHaveProperty('message', expect.stringMatching(message));
  });

  it('ends when its stdin ends, and leaves no trace', async () => {
    const directory = await mounted({});
    const { child, ended, said } = start('serve', `--directory=${directory}`);
    await once(child.stdout, 'data');
    child.stdin.end();
    child.stdout.resume();
    expect([await ended, said(), await readdir(slotsOf(directory))]).toEqual([0, '', []]);
  });

  it('is busy beyond 32 sessions', async () => {
    const directory = await mounted({});
    const others = Array.from({ length: maxSessions }, () => spawn('sleep', ['60']));
    cleanups.push(async () => {
      const gone = others.map((other) => once(other, 'exit'));
      for (const other of others) other.kill();
      await Promise.all(gone);
    });
    for (const { pid } of others) await takeSlot(directory, pid);
    const { child, ended } = start('serve', `--directory=${directory}`);
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    expect([first.toString(), await ended]).toEqual(['reposure-surrogate busy 32\n', 3]);
  });

  it('counts the living only', async () => {
    const directory = await mounted({});
    const gone = spawn(process.execPath, ['--version']);
    await once(gone, 'exit');
    await takeSlot(directory, gone.pid);
    await writeFile(join(slotsOf(directory), 'not-a-number'), '');
    const { others, release } = await takeSlot(directory);
    await release();
    expect(others).toBe(0);
  });
});

describe('reposure-surrogate run', () => {
  /** In this process. @returns its URL. */
  async function running(directory: string): Promise<string> {
    const listening = Promise.withResolvers<string>();
    const stop = new AbortController();
    const ended = run({
      directory,
      address: '127.0.0.1',
      port: 0,
      gatewayPort: 0,
      log: { ...silent, info: (line) => listening.resolve(urlIn(line)) },
      signal: stop.signal,
    });
    cleanups.push(() => {
      stop.abort();
      return ended;
    });
    ended.catch(listening.reject);
    return listening.promise;
  }

  const urlIn = (line: string): string =>
    `http://127.0.0.1:${/"port\\?":(\d+)/.exec(line)?.[1] ?? ''}`;
  /** Where the gateway of a program is that says so. */
  const gatewayIn = (line: string): string =>
    `https://127.0.0.1:${/gateway on port (\d+)/.exec(line)?.[1] ?? ''}`;
  const get = async (url: string): Promise<unknown> => {
    const response = await fetch(url);
    return [response.status, await response.json()];
  };

  it('is alive, and ready as long as the registry takes the login; SIGTERM ends it', async () => {
    const { host } = await guarded();
    const files = {
      'config/registry.json': settings(host),
      'login/username': 'u',
      'login/password': 'one',
    };
    const { child, ended } = start(
      'run',
      `--directory=${await mounted(files)}`,
      '--port=0',
      '--gateway-port=0',
    );
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = urlIn(line.toString());
    expect(await get(`${url}/livez`)).toEqual([200, { alive: true }]);
    expect(await get(`${url}/readyz`)).toEqual([200, { reachable: true, credentialsValid: true }]);
    expect(await get(`${url}/v2/`)).toEqual([404, {}]);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('serves a gateway that refuses what is not signed, with keys and without', async () => {
    const files = { 'config/registry.json': settings((await guarded()).host) };
    const key = newGatewayKey();
    for (const [more, reason] of [
      [{}, /no key/],
      [{ 'keys/read/key': key, 'keys/write/key': newGatewayKey() }, /sign/],
    ] as const) {
      const directory = await mounted({ ...files, ...more });
      const { child } = start('run', `--directory=${directory}`, '--port=0', '--gateway-port=0');
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const answer = await getUnverified(`${gatewayIn(line.toString())}/v2/`);
      expect(answer).toEqual([expect.any(Number), expect.stringMatching(reason)]);
      expect(answer[0]).toBeGreaterThanOrEqual(400);
      expect(answer[1]).not.toContain(key);
      expect(await get(`${urlIn(line.toString())}/livez`)).toEqual([200, { alive: true }]);
    }
  });

  it.each([
    [
      'a wrong login',
      async () => ({ host: (await guarded()).host }),
      { 'login/username': 'u', 'login/password': 'hunter2' },
      { reachable: true, credentialsValid: false },
    ],
    [
      'a registry that is down',
      async () => ({ host: '127.0.0.1:1' }),
      {},
      { reachable: false, credentialsValid: false },
    ],
    [
      'something that is no registry',
      async () => ({ host: await startServer((_, response) => response.writeHead(404).end()) }),
      {},
      { reachable: false, credentialsValid: false },
    ],
  ])('is not ready with %s, and says so without secrets', async (_, registry, login, expected) => {
    const { host } = await registry();
    const url = await running(await mounted({ 'config/registry.json': settings(host), ...login }));
    const [status, body] = (await get(`${url}/readyz`)) as [number, { message: string }];
    expect([status, body]).toEqual([503, { ...expected, message: expect.any(String) }]);
    expect(body.message).not.toMatch(/^$|hunter2/);
  });
});

describe('reposure-surrogate', () => {
  it.each([
    [['sing'], /want serve or run/],
    [['serve', '--secret=x'], /--secret/],
    [['run', '--port=99999'], /port "99999": want 0 to 65535/],
  ])('refuses %j with status 2', async (args, message) => {
    const { stdin, stdout } = process;
    const stderr = new PassThrough();
    expect(await surrogateMain(args, { stdin, stdout, stderr })).toBe(2);
    expect(String(stderr.read())).toMatch(message);
  });
});
