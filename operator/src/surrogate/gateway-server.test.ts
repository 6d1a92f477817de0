import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

import { afterEach, describe, expect, it } from 'vitest';

import { startGatewayServer } from './gateway-server.ts';
import type { GatewayServer } from './gateway-server.ts';

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
let server: GatewayServer | undefined;

afterEach(async () => {
  agent.destroy();
  await server?.close(0);
  server = undefined;
});

async function start(handler: RequestListener, maxRequests?: number): Promise<void> {
  const limit = maxRequests === undefined ? {} : { maxRequests };
  server = await startGatewayServer({ address: '127.0.0.1', port: 0, handler, ...limit });
}

/** @returns Status and body. */
async function post(body: string): Promise<[number | undefined, string]> {
  const outgoing = request({ agent, port: server?.port, method: 'POST', path: '/' });
  const answered = once(outgoing, 'response');
  outgoing.end(body);
  const [answer] = await answered;
  return [answer.statusCode, await text(answer)];
}

describe('startGatewayServer()', () => {
  it('serves a handler by TLS 1.3 and HTTP/1.1', async () => {
    await start((incoming, response) => {
      void text(incoming).then((body) => response.end(`${incoming.httpVersion} ${body}`));
    });
    expect(await post('hello')).toEqual([200, '1.1 hello']);
  });

  it('serves on after a client that hung up in the middle of a body', async () => {
    const read = Promise.withResolvers<unknown>();
    await start((incoming, response) => {
      if (incoming.headers['content-length'] !== '10') response.end('alive');
      else void text(incoming).then(read.resolve, read.resolve);
    });
    const headers = { 'content-length': 10 };
    const outgoing = request({ agent, port: server?.port, method: 'POST', path: '/', headers });
    outgoing.on('error', () => {});
    outgoing.write('12345', () => outgoing.destroy());
    expect(await read.promise).toBeInstanceOf(Error);
    expect(await post('')).toEqual([200, 'alive']);
  });

  it('tells one request too many to come back, and takes the next one', async () => {
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await start((_, response) => {
      arrived.resolve();
      void held.promise.then(() => response.end('done'));
    }, 1);
    const one = post('1');
    await arrived.promise;
    expect(await post('2')).toEqual([503, expect.stringContaining('another try')]);
    held.resolve();
    expect(await one).toEqual([200, 'done']);
    await expect.poll(() => post('3')).toEqual([200, 'done']);
  });

  it('answers what is under way before it ends, and waits for no idle connection', async () => {
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await start((_, response) => {
      arrived.resolve();
      void held.promise.then(() => response.end('done'));
    });
    const underWay = post('1');
    await arrived.promise;
    const closed = server?.close(60_000);
    held.resolve();
    expect(await underWay).toEqual([200, 'done']);
    await closed;
    agent.destroy();
    await expect(post('2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('cuts what is still under way when its time is over', async () => {
    const arrived = Promise.withResolvers<void>();
    await start(() => arrived.resolve());
    const failure = post('1').catch((error: unknown) => error);
    await arrived.promise;
    await server?.close(50);
    expect(await failure).toMatchObject({ code: 'ECONNRESET' });
  });
});
