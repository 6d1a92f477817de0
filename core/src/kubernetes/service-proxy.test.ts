import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { collect, streamOf } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import type { KubernetesClient, ServiceRequest } from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { refuse, startApiServer } from './test/api-server.ts';

const request: ServiceRequest = {
  namespace: 'ci',
  service: 'https:store:gateway',
  method: 'GET',
  path: '/v2/a%20b?n=1',
  headers: async () => ({ accept: 'a/b' }),
  isFromService: ({ headers }) => 'x-store' in headers,
  forbiddenStep: 'want the Role',
  absentStep: 'want it up',
};

function serve(response: ServerResponse, body = 'hello'): void {
  response.writeHead(200, { 'x-store': '1' }).end(body);
}

async function ask(
  client: KubernetesClient,
  changes: Partial<ServiceRequest> = {},
): Promise<string> {
  const answer = await client.requestService({ ...request, ...changes });
  return (await collect(answer.body, 'it', 1000)).toString();
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('requestService()', () => {
  it('goes by the proxy of the API server, with the login for that', async () => {
    let seen: IncomingMessage['headers'] = {};
    await using api = await startApiServer((asked, response) => {
      seen = asked.headers;
      serve(response);
    });
    const client = await api.open({ user: { token: 'secret' } });
    expect(await ask(client)).toBe('hello');
    expect(api.seen).toEqual([
      'GET /api/v1/namespaces/ci/services/https%3Astore%3Agateway/proxy/v2/a%20b?n=1',
    ]);
    expect(seen).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'a/b',
      'accept-encoding': 'identity',
    });
  });

  it.each([
    [403, 'Forbidden', 'services "store" is forbidden', /is forbidden; want the Role$/],
    [503, 'ServiceUnavailable', 'no endpoints available', /no endpoints available; want it up$/],
    [404, 'NotFound', 'services "store" not found', /not found; want it up$/],
  ])('tells a %d of the API server from what the Service says', async (status, ...said) => {
    const [reason, message, expected] = said;
    await using api = await startApiServer((_, response) =>
      refuse(response, status, reason, message),
    );
    const client = await api.open();
    const failure = await failureOf(ask(client));
    expect(failure).toBeInstanceOf(KubernetesError);
    const told = { status, message: expect.stringMatching(expected) };
    expect(failure).toMatchObject({ ...told, isExpectedBack: false });
    const known = await failureOf(ask(client, { isExpectedBack: true }));
    expect(known).toMatchObject({ ...told, isExpectedBack: status === 503 });
  });

  it('leaves a refusal of the Service to whoever asked', async () => {
    await using api = await startApiServer((_, response) => {
      response.writeHead(404, { 'x-store': '1' }).end();
    });
    const answer = await (await api.open()).requestService(request);
    await answer.discard();
    expect(answer.status).toBe(404);
  });

  it.each([
    ['HEAD of a large blob', 'HEAD', 200, { 'content-length': String(1 << 30) }],
    ['an answer that has no body', 'PATCH', 204, {}],
    ['an answer of unknown length', 'GET', 200, {}],
  ])('keeps its connection after %s', async (_, method, status, headers) => {
    const sockets = new Set<Socket>();
    await using api = await startApiServer((asked, response) => {
      sockets.add(asked.socket);
      response.writeHead(status, { 'x-store': '1', ...headers }).end();
    });
    const client = await api.open();
    for (let i = 0; i < 3; i++) {
      await (await client.requestService({ ...request, method })).discard();
    }
    expect(sockets.size).toBe(1);
  });

  it('gives up a connection rather than read what nobody wants', async () => {
    const sockets = new Set<Socket>();
    await using api = await startApiServer((asked, response) => {
      sockets.add(asked.socket);
      response.writeHead(200, { 'x-store': '1', 'content-length': String(1 << 24) });
      response.write(Buffer.alloc(1 << 20));
    });
    const client = await api.open();
    for (let i = 0; i < 2; i++) await (await client.requestService(request)).discard();
    expect(sockets.size).toBe(2);
  });

  it('sends a request again, made anew, that met a closed connection', async () => {
    const used = new Set<Socket>();
    await using api = await startApiServer((asked, response) => {
      if (used.has(asked.socket)) asked.socket.destroy();
      else serve(response);
      used.add(asked.socket);
    });
    const client = await api.open();
    let made = 0;
    const headers = async (): Promise<Record<string, string>> => ({ nonce: String(++made) });
    expect(await ask(client, { headers })).toBe('hello');
    const method = 'POST';
    expect(await ask(client, { headers, method, body: Buffer.from('x') })).toBe('hello');
    expect([made, used.size]).toEqual([3, 2]);
    // A stream is read once: whoever has it knows how to go on.
    const lost = await failureOf(
      ask(client, { headers, method, body: streamOf(Buffer.from('x')) }),
    );
    expect(lost).toBeInstanceOf(UnreachableError);
    expect(used.size).toBe(2);
  });

  it('does not repeat what a new connection lost', async () => {
    let asked = 0;
    await using api = await startApiServer((lost) => {
      asked++;
      lost.socket.destroy();
    });
    expect(await failureOf(ask(await api.open()))).toBeInstanceOf(UnreachableError);
    expect(asked).toBe(1);
  });

  it('logs in again once, where another login may help', async () => {
    const tokens: (string | undefined)[] = [];
    await using api = await startApiServer((asked, response) => {
      tokens.push(asked.headers.authorization);
      if (tokens.length === 1) refuse(response, 401, 'Unauthorized', 'Unauthorized');
      else serve(response);
    });
    const tokenFile = join(api.folder, 'token');
    await writeFile(tokenFile, 'first');
    const client = await api.open({ user: { tokenFile } });
    expect(await ask(client)).toBe('hello');
    expect(tokens).toHaveLength(2);
    tokens.length = 0;
    const body = streamOf(Buffer.from('x'));
    const failure = await failureOf(ask(client, { method: 'POST', body }));
    expect(failure).toMatchObject({ status: 401 });
    expect(tokens).toHaveLength(1);
  });

  it('says when an answer breaks off', async () => {
    await using api = await startApiServer((_, response) => {
      response.writeHead(200, { 'x-store': '1', 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const failure = await failureOf(ask(await api.open()));
    expect(failure).toMatchObject({ code: 'UNREACHABLE', isTransient: true });
  });

  it('ends with its signal, and with what its body fails with', async () => {
    await using api = await startApiServer(() => {});
    const client = await api.open();
    const leaving = new AbortController();
    const waiting = failureOf(ask(client, { signal: leaving.signal }));
    leaving.abort(new Error('enough'));
    expect(await waiting).toBe(leaving.signal.reason);
    const failure = new RangeError('the file is gone');
    const body = (async function* broken() {
      yield Buffer.from('x');
      throw failure;
    })();
    expect(await failureOf(ask(client, { method: 'PATCH', body }))).toBe(failure);
  });
});
