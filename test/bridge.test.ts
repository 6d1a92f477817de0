import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { streamOf, UnreachableError } from '@reposure/core';
import type { ByteStream } from '@reposure/core';
import { newBridgeLogin, startBridge } from '@reposure/core/bridge';
import type { Bridge, BridgeOptions, Pushed } from '@reposure/core/bridge';
import { directTransport } from '@reposure/core/registry';
import type { RegistryRequest, RegistryResponse, Transport } from '@reposure/core/registry';
import type { Registry } from '@reposure/core/resource';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MiB = 1024 * 1024;

let directory: string;
let origin: Awaited<ReturnType<typeof startRegistry>>;
let transport: ReturnType<typeof directTransport>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-'));
  origin = await startRegistry({ directory });
  transport = directTransport({ host: origin.host, insecure: true });
});

afterAll(async () => {
  await transport.close();
  await origin.close();
  await rm(directory, { recursive: true, force: true });
});

const login = newBridgeLogin();
const authorization = `Basic ${btoa(`${login.username}:${login.password}`)}`;
const registry = { metadata: { name: 'default', namespace: 'ci' }, spec: {} } as Registry;

interface Given extends AsyncDisposable {
  readonly bridge: Bridge;
  readonly pushed: readonly Pushed[];
  ask(method: string, path: string, options?: Options): Promise<Answer>;
  /** Puts a blob there as most tools do. */
  pushBlob(repository: string, content: Uint8Array): Promise<Answer>;
}

interface Options {
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string | ByteStream;
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A bridge whose way to the registry is in the hands of the test. */
async function start(
  request: Transport = (asked) => transport(asked),
  options: Partial<BridgeOptions> = {},
): Promise<Given> {
  const route = {
    via: 'direct',
    reason: 'the test says so',
    request,
    close: async () => {},
  } as const;
  const pushed: Pushed[] = [];
  const onPush = (each: Pushed): void => void pushed.push(each);
  const bridge = await startBridge({ route, registry, login, onPush, ...options });
  const ask: Given['ask'] = (method, path, { headers = {}, body } = {}) =>
    answerOf(bridge.port, { method, path, headers: { authorization, ...headers } }, body);
  return {
    bridge,
    pushed,
    ask,
    pushBlob: async (repository, content) => {
      const begun = await ask('POST', `/v2/${repository}/blobs/uploads/`);
      const location = String(begun.headers.location);
      await ask('PATCH', location, { body: streamOf(content) });
      return await ask('PUT', `${location}?digest=${digestOf(content)}`);
    },
    [Symbol.asyncDispose]: () => bridge.close(),
  };
}

async function answerOf(
  port: number,
  asked: { method: string; path: string; headers: Record<string, string> },
  body?: Options['body'],
): Promise<Answer> {
  const request = httpRequest({ host: '127.0.0.1', port, agent: false, ...asked });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  if (typeof body === 'string' || body instanceof Uint8Array) request.end(body);
  else {
    for await (const chunk of body ?? []) request.write(chunk);
    request.end();
  }
  const [response] = await answered;
  request.on('error', () => {}); // what has its answer may be cut
  const { statusCode = 0, statusMessage = '', headers } = response;
  return { status: statusCode, reason: statusMessage, headers, body: await buffer(response) };
}

function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function codeOf({ body }: Answer): string {
  return (JSON.parse(body.toString()) as { errors: [{ code: string }] }).errors[0].code;
}

/** What the registry itself has under a digest. */
async function held(repository: string, digest: string): Promise<string> {
  const response = await fetch(`http://${origin.host}/v2/${repository}/blobs/${digest}`);
  return response.ok
    ? digestOf(Buffer.from(await response.arrayBuffer()))
    : String(response.status);
}

const lost = (): UnreachableError => new UnreachableError('the cable was pulled');

describe('who is let in', () => {
  it.each([
    ['without a login', { authorization: '' }, 401],
    ['with a wrong password', { authorization: `Basic ${btoa('reposure:guess')}` }, 401],
    ['with a token', { authorization: `Bearer ${login.password}` }, 401],
    ['by another name of this machine (DNS rebinding)', { host: 'evil.example:80' }, 421],
    ['by the right name on another port', { host: 'localhost:1' }, 421],
    ['from a page of a browser', { origin: 'https://evil.example' }, 403],
    ['from a page that hides where it is from', { 'sec-fetch-site': 'cross-site' }, 403],
  ])('nobody %s', async (_, headers, status) => {
    await using given = await start();
    const answer = await given.ask('GET', '/v2/', { headers });
    expect(answer.status).toBe(status);
    expect(codeOf(answer)).toMatch(/^(?:UNAUTHORIZED|DENIED)$/);
    expect(answer.headers['www-authenticate'] ?? 'no').toMatch(status === 401 ? /^Basic / : /^no$/);
  });

  it('who has the login, by each name of this machine; without it if there is none', async () => {
    await using given = await start();
    const { port } = given.bridge;
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      const headers = { host: `${name}:${port}` };
      expect((await given.ask('GET', '/v2/', { headers })).status).toBe(200);
    }
    await using open = await start(undefined, { login: undefined });
    const headers = { authorization: '' };
    expect((await open.ask('GET', '/v2/', { headers })).status).toBe(200);
  });

  it('no page asks first whether it may (CORS)', async () => {
    await using given = await start();
    const answer = await given.ask('OPTIONS', '/v2/');
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).join()).not.toContain('access-control');
  });
});

describe('what is served', () => {
  it.each(['/', '/metrics', '/v1/', '/v2/a/../b', '/v2/a/%2e%2e/b', '/v2/a%2fb', '//v2/'])(
    'is not %s',
    async (path) => {
      await using given = await start();
      expect((await given.ask('GET', path)).status).toBe(404);
    },
  );

  it('is not a name that cannot be decoded', async () => {
    await using given = await start();
    expect((await given.ask('GET', '/v2/%zz/manifests/1')).status).toBe(400);
  });

  it.each([
    ['no HTTP at all', 'HELO\r\n\r\n'],
    // What makes docker and others try again without TLS.
    ['TLS', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'],
    ['two lengths', `POST /v2/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx`],
  ])('is not %s, and it goes on', async (_, text) => {
    await using given = await start();
    const socket = connect(given.bridge.port, '127.0.0.1');
    socket.write(Buffer.from(text, 'latin1'));
    expect((await buffer(socket)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect((await given.ask('GET', '/v2/')).status).toBe(200);
  });

  it('is on a port that nobody else has, on each address of localhost', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const other = createServer().listen(0, host);
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const failure = await start(undefined, { port }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/EADDRINUSE; want a port that is free/),
      });
      other.close();
    }
  });
});

describe('an upload', () => {
  const content = randomBytes(100_000);
  const digest = digestOf(content);

  it('may come in one request or in several, with the length known or not', async () => {
    await using given = await start();
    const begin = async (): Promise<string> =>
      String((await given.ask('POST', '/v2/up/blobs/uploads/')).headers.location);
    const path = `/v2/up/blobs/uploads/?digest=${digest}`;
    const atOnce = await given.ask('POST', path, { body: content });
    const byPut = await given.ask('PUT', `${await begin()}?digest=${digest}`, { body: content });
    const streamed = await begin();
    const half = await given.ask('PATCH', streamed, {
      body: streamOf(content.subarray(0, 50_000)),
    });
    expect(half).toMatchObject({ status: 202, headers: { range: '0-49999', location: streamed } });
    const rest = { body: content.subarray(50_000), headers: { 'content-range': '50000-99999' } };
    const byChunks = await given.ask('PUT', `${streamed}?digest=${digest}`, rest);
    for (const each of [atOnce, byPut, byChunks]) {
      expect(each).toMatchObject({
        status: 201,
        headers: { location: `/v2/up/blobs/${digest}`, 'docker-content-digest': digest },
      });
    }
    expect(await held('up', digest)).toBe(digest);
  });

  it('is told under which digest the registry keeps what it took', async () => {
    const bytes = randomBytes(1000);
    const kept = digestOf(bytes);
    // As Distribution 3 does with sha512: it keeps everything by sha256.
    const keeping: Transport = async (request) => {
      const path = request.path.replace(/digest=sha512[^&]*/, `digest=${kept}`);
      return await transport({ ...request, path });
    };
    await using given = await start(keeping);
    const begun = await given.ask('POST', '/v2/kept/blobs/uploads/');
    const asked = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const url = `${String(begun.headers.location)}?digest=${asked}`;
    const { status, headers } = await given.ask('PUT', url, { body: bytes });
    expect({ status, headers }).toMatchObject({
      status: 201,
      headers: { 'docker-content-digest': kept, location: `/v2/kept/blobs/${kept}` },
    });
  });

  it('is told where it stands, and is given up', async () => {
    await using given = await start();
    const { headers } = await given.ask('POST', '/v2/up/blobs/uploads/');
    const location = String(headers.location);
    expect(await given.ask('GET', location)).toMatchObject({
      status: 204,
      headers: { range: '0-0' },
    });
    await given.ask('PATCH', location, { body: 'abc' });
    expect(await given.ask('GET', location)).toMatchObject({
      status: 204,
      headers: { range: '0-2' },
    });
    expect((await given.ask('DELETE', location)).status).toBe(204);
    expect(await given.ask('GET', location)).toMatchObject({ status: 404 });
  });

  it('is taken from another repository where that has it', async () => {
    await using given = await start();
    await given.pushBlob('from', content);
    const query = `mount=${digest}&from=from`;
    const mounted = await given.ask('POST', `/v2/to/blobs/uploads/?${query}`);
    expect(mounted.status).toBe(201);
    expect(await held('to', digest)).toBe(digest);
    const other = await given.ask('POST', `/v2/to/blobs/uploads/?mount=${digestOf('x')}&from=from`);
    expect(other.status).toBe(202);
  });

  const range = (text: string): Options => ({ headers: { 'content-range': text } });
  it.each([
    ['a part that does not begin where it stands', 'PATCH', range('5-7'), 416],
    ['a part that begins nowhere', 'PATCH', range('here'), 400],
    ['a part of another length', 'PATCH', range('0-9'), 400],
    ['the digest of another content', `PUT ?digest=${digestOf('other')}`, {}, 400],
    ['a digest that is none', 'PUT ?digest=sha256:abc', {}, 400],
    ['no digest', 'PUT', {}, 400],
    ['another method', 'POST', {}, 405],
  ])('is refused: %s', async (_, asked, options, status) => {
    await using given = await start();
    const begun = await given.ask('POST', '/v2/up/blobs/uploads/');
    const [method = '', query = ''] = asked.split(' ');
    const path = `${String(begun.headers.location)}${query}`;
    const answer = await given.ask(method, path, { ...options, body: Buffer.from('abc') });
    expect(answer.status).toBe(status);
    expect(codeOf(answer)).toMatch(/^[A-Z_]+$/);
  });

  it('is known in its own repository only', async () => {
    await using given = await start();
    const { headers } = await given.ask('POST', '/v2/up/blobs/uploads/');
    const elsewhere = String(headers.location).replace('/v2/up/', '/v2/other/');
    expect(codeOf(await given.ask('GET', elsewhere))).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('goes on where it stands after the tool hung up', async () => {
    await using given = await start();
    const large = randomBytes(5 * MiB);
    const { headers } = await given.ask('POST', '/v2/hung/blobs/uploads/');
    const location = String(headers.location);
    const request = httpRequest({
      host: '127.0.0.1',
      port: given.bridge.port,
      method: 'PATCH',
      path: location,
      headers: { authorization },
    });
    const hungUp = once(request, 'error');
    request.write(large.subarray(0, 3 * MiB), () => request.destroy(lost()));
    await hungUp;
    const standing = await given.ask('GET', location);
    const at = Number(String(standing.headers.range).slice(2)) + 1;
    expect(at).toBeLessThanOrEqual(3 * MiB);
    const rest = large.subarray(at === 1 ? 0 : at);
    await given.ask('PATCH', location, { body: rest });
    expect((await given.ask('PUT', `${location}?digest=${digestOf(large)}`)).status).toBe(201);
    expect(await held('hung', digestOf(large))).toBe(digestOf(large));
  });

  it('waits for memory where there are many, and all of them come to their end', async () => {
    await using given = await start();
    const contents = Array.from({ length: 12 }, () => randomBytes(6 * MiB));
    const answers = await Promise.all(contents.map((each) => given.pushBlob('many', each)));
    expect(answers.map(({ status }) => status)).toEqual(contents.map(() => 201));
  });
});

/** Loses what is sent or answered, as often as told. */
function flaky(
  isMeant: (request: RegistryRequest) => boolean,
  times: number,
  how: 'before the answer' | 'in the body' | 'in the answer',
): { readonly transport: Transport; readonly sent: () => number; readonly cuts: () => number } {
  let [cuts, sent] = [0, 0];
  async function* cut(body: ByteStream, afterBytes: number): ByteStream {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > afterBytes && cuts < times) {
        cuts++;
        throw lost();
      }
      sent += chunk.byteLength;
      yield chunk;
    }
  }
  const send: Transport = async (request) => {
    if (!isMeant(request) || cuts === times) return await transport(request);
    const { body } = request;
    const isCut = how === 'in the body' && body && !(body instanceof Uint8Array);
    const answer: RegistryResponse = await transport(
      isCut ? { ...request, body: cut(body, 700_000) } : request,
    );
    if (how === 'before the answer') {
      cuts++;
      await answer.discard();
      throw lost();
    }
    return how === 'in the answer' ? { ...answer, body: cut(answer.body, 100_000) } : answer;
  };
  return { transport: send, sent: () => sent, cuts: () => cuts };
}

describe('a way that breaks', { timeout: 60_000 }, () => {
  const content = randomBytes(3 * MiB);
  const digest = digestOf(content);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: content.byteLength },
    layers: [],
  });

  it('in the middle of what is sent is not seen by the tool, and nothing much goes twice', async () => {
    const way = flaky(({ method }) => method === 'PATCH', 3, 'in the body');
    await using given = await start(way.transport);
    expect((await given.pushBlob('sent', content)).status).toBe(201);
    expect(way.cuts()).toBe(3);
    expect(await held('sent', digest)).toBe(digest);
    expect(way.sent()).toBeLessThan(content.byteLength * 1.5);
  });

  it.each(['POST', 'PATCH', 'PUT'])('before the answer to %s', async (method) => {
    const isMeant = (request: RegistryRequest): boolean => request.method === method;
    const way = flaky(isMeant, 1, 'before the answer');
    await using given = await start(way.transport);
    const repository = `answer/${method.toLowerCase()}`;
    expect((await given.pushBlob(repository, content)).status).toBe(201);
    expect(await held(repository, digest)).toBe(digest);
    expect(way.cuts()).toBe(1);
  });

  it('before the answer to a manifest, which is told of once', async () => {
    const way = flaky(({ path }) => path.includes('/manifests/'), 1, 'before the answer');
    await using given = await start(way.transport);
    await given.pushBlob('named', content);
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    const put = await given.ask('PUT', '/v2/named/manifests/v1', { headers, body: manifest });
    expect(put.status).toBe(201);
    const named = { repository: 'named', tag: 'v1', digest: digestOf(manifest) };
    expect(given.pushed).toEqual([named]);
    await given.ask('PUT', `/v2/named/manifests/${named.digest}`, { headers, body: manifest });
    expect(given.pushed[1]).toEqual({ repository: 'named', digest: named.digest });
  });

  it.each([
    ['of the whole', {}, 200, content],
    ['of a part', { range: 'bytes=1000-2999999' }, 206, content.subarray(1000, 3_000_000)],
  ])('in the middle of an answer, %s', async (_, headers, status, expected) => {
    const way = flaky(({ method }) => method === 'GET', 3, 'in the answer');
    await using given = await start(way.transport);
    await given.pushBlob('read', content);
    const answer = await given.ask('GET', `/v2/read/blobs/${digest}`, { headers });
    expect(answer.status).toBe(status);
    expect(digestOf(answer.body)).toBe(digestOf(expected));
    expect(way.cuts()).toBe(3);
  });

  it('for good is said in words that the tool shows', async () => {
    const gone: Transport = async () => {
      throw lost();
    };
    await using given = await start(gone, { retries: 0 });
    const answer = await given.ask('GET', '/v2/');
    expect(answer).toMatchObject({ status: 502, reason: 'the cable was pulled' });
    expect(codeOf(answer)).toBe('UNAVAILABLE');
  });

  it('to a registry that has forgotten what it had answered for', async () => {
    let patches = 0;
    const forgetting: Transport = async (request) => {
      if (request.method === 'PATCH' && patches++ === 1) throw lost();
      const answer = await transport(request);
      const isAsking = request.method === 'GET' && request.path.includes('/uploads/');
      return isAsking ? { ...answer, headers: { ...answer.headers, range: '0-9' } } : answer;
    };
    await using given = await start(forgetting);
    const { headers } = await given.ask('POST', '/v2/forgot/blobs/uploads/');
    const body = randomBytes(40 * MiB);
    const answer = await given.ask('PATCH', String(headers.location), { body });
    expect(answer.status).toBe(404);
    expect(codeOf(answer)).toBe('BLOB_UPLOAD_UNKNOWN');
  });
});

describe('a registry that says no', () => {
  const saying = (status: number, errors: object[], method?: string): Transport => {
    return async (request) => {
      if (method !== undefined && request.method !== method) return await transport(request);
      const body = streamOf(Buffer.from(JSON.stringify({ errors })));
      const headers = {
        'content-type': 'application/json',
        'www-authenticate': 'Bearer realm="x"',
      };
      return { status, headers, body, discard: async () => {} };
    };
  };
  const denied = { code: 'DENIED', message: 'quota of the team is used up' };

  it.each([
    ['to a blob', 'PATCH', 403],
    ['to the name of a blob', 'PUT', 403],
    ['to a login', 'POST', 401],
  ])('%s is quoted', async (_, method, status) => {
    await using given = await start(saying(status, [denied], method));
    const answer = await given.ask('POST', '/v2/no/blobs/uploads/');
    const location = String(answer.headers.location);
    const patched =
      method === 'POST' ? answer : await given.ask('PATCH', location, { body: 'abc' });
    const last =
      method === 'PUT' ? await given.ask('PUT', `${location}?digest=${digestOf('abc')}`) : patched;
    // It is not the tool's own login that is refused.
    expect(last.status).toBe(403);
    expect(last.headers['www-authenticate']).toBeUndefined();
    expect(last.body.toString()).toContain('quota of the team is used up');
  });

  it.each([503, 429])(
    'because it is busy (%i) is asked once more, and then quoted',
    async (status) => {
      let times = 1;
      const busy: Transport = async (request) => {
        if (!request.path.includes('/manifests/') || times-- < 1) return await transport(request);
        const body = streamOf(Buffer.from(JSON.stringify({ errors: [denied] })));
        return { status, headers: { 'retry-after': '1' }, body, discard: async () => {} };
      };
      await using given = await start(busy);
      const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
      const mediaType = headers['content-type'];
      const body = JSON.stringify({ schemaVersion: 2, manifests: [], mediaType });
      const put = (): Promise<Answer> =>
        given.ask('PUT', '/v2/busy/manifests/v1', { headers, body });
      expect((await put()).status).toBe(201);
      times = 1;
      await using impatient = await start(busy, { retries: 0 });
      const told = await impatient.ask('PUT', '/v2/busy/manifests/v1', { headers, body });
      expect(told).toMatchObject({ status, headers: { 'retry-after': '1' } });
      expect(told.body.toString()).toContain('quota of the team is used up');
    },
  );

  it('with a success that is none, such as the page of a proxy', async () => {
    await using given = await start(saying(200, [], 'POST'));
    expect((await given.ask('POST', '/v2/page/blobs/uploads/')).status).toBe(502);
  });

  it('with a status that docker shows without its words: they are in the status line', async () => {
    await using given = await start(saying(507, [denied]));
    const answer = await given.ask('GET', '/v2/no/manifests/v1');
    expect(answer.status).toBe(507);
    expect(answer.reason).toContain('quota of the team is used up');
    expect(answer.body.toString()).toContain('quota of the team is used up');
  });
});

describe("OpenShift's names", () => {
  const openshift = { ...registry, status: { provider: 'openshift' } } as Registry;

  it('are the tools’ with the project in front, and the answers are in their own', async () => {
    const asked: string[] = [];
    const noting: Transport = (request) => {
      asked.push(request.path.replace(/\?.*/, '').replace(/[^/]{36}$/, 'ID'));
      return transport(request);
    };
    await using given = await start(noting, { registry: openshift });
    const content = randomBytes(1000);
    const blob = await given.pushBlob('app', content);
    expect(blob.headers.location).toBe(`/v2/app/blobs/${digestOf(content)}`);
    const unknown = await given.ask('GET', '/v2/app/manifests/none');
    expect(unknown.body.toString()).not.toContain('ci/app');
    const from = `/v2/other/blobs/uploads/?mount=${digestOf(content)}&from=app`;
    expect((await given.ask('POST', from)).status).toBe(201);
    await given.ask('GET', '/v2/team/app/tags/list');
    expect(asked).toEqual([
      '/v2/ci/app/blobs/uploads/',
      '/v2/ci/app/blobs/uploads/ID',
      '/v2/ci/app/blobs/uploads/ID',
      '/v2/ci/app/manifests/none',
      '/v2/ci/other/blobs/uploads/',
      '/v2/team/app/tags/list',
    ]);
  });

  it('are told in lists as the tool has them, and of pushes as nodes do', async () => {
    await using given = await start(undefined, { registry: openshift });
    const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
    const body = JSON.stringify({
      schemaVersion: 2,
      manifests: [],
      mediaType: headers['content-type'],
    });
    expect((await given.ask('PUT', '/v2/listed/manifests/v1', { headers, body })).status).toBe(201);
    const tags = await given.ask('GET', '/v2/listed/tags/list');
    expect(JSON.parse(tags.body.toString())).toEqual({ name: 'listed', tags: ['v1'] });
    expect(given.pushed).toMatchObject([{ repository: 'ci/listed', tag: 'v1' }]);
  });
});
