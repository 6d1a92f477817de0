import { afterEach, describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { exchangeOver } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { startTestServer } from './test/server.ts';
import type { TestServer } from './test/server.ts';
import type { RegistryRequest } from './transport.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** A server that closes every connection on its second request, as if it had been idle for too long. */
async function forgetful(): Promise<{ readonly server: TestServer; readonly exchange: Exchange }> {
  const seen = new WeakSet();
  const server = await startTestServer((request, response) => {
    if (seen.has(request.socket)) request.socket.destroy();
    else request.resume().once('end', () => response.end('hello'));
    seen.add(request.socket);
  });
  const connections = new Connections();
  opened.push(server, connections);
  return { server, exchange: exchangeOver(connections, 'tests') };
}

describe('a connection that was kept and is closed when it is used again', () => {
  const body = Buffer.from('body');
  const ask = async (
    exchange: Exchange,
    host: string,
    request: RegistryRequest,
  ): Promise<number> => {
    const answer = await exchange(`http://${host}`, request);
    await answer.discard();
    return answer.status;
  };

  it.each([
    ['GET', {}],
    ['POST', {}],
    ['PUT', { body }],
  ] as const)('is replaced for %s %j', async (method, given) => {
    const { server, exchange } = await forgetful();
    for (let round = 0; round < 3; round++) {
      expect(await ask(exchange, server.host, { method, path: '/x', ...given })).toBe(200);
    }
    expect(server.arrived).toHaveLength(5);
  });

  it.each([
    ['the bytes of an upload', { body }],
    ['a stream', { body: streamOf(body), headers: { 'content-length': '4' } }],
  ])('fails %s: they may have arrived', async (_, given) => {
    const { server, exchange } = await forgetful();
    await ask(exchange, server.host, { method: 'GET', path: '/x' });
    const failure = ask(exchange, server.host, { method: 'PATCH', path: '/x', ...given });
    await expect(failure).rejects.toBeInstanceOf(UnreachableError);
    expect(server.arrived).toHaveLength(2);
  });
});
