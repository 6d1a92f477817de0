import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { overwriting } from '../../../test/support/overwriting.ts';
import { UnreachableError } from '../errors.ts';
import { startApiServer } from '../kubernetes/test/api-server.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { exchange } from './exchange.ts';
import { gatewayHandler } from './gateway.ts';
import { serveRequest } from './serve-request.ts';
import { startGateway } from './test/support.ts';
import { YamuxSession } from './yamux/session.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const bytes = randomBytes(3_000_000);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Unlike streams in one process, sockets part with what they have sent. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

async function digestOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

/** A registry whose blobs lie in memory that is used again. @param onBody Told what it was sent. */
function registry(onBody?: (digest: string) => void): Transport {
  return async ({ body }): Promise<RegistryResponse> => {
    if (body && !(body instanceof Uint8Array)) onBody?.(await digestOf(body));
    const headers = { 'content-length': String(bytes.byteLength) };
    return { status: 200, headers, body: overwriting(bytes, 50_000), discard: async () => {} };
  };
}

describe('what is sent from memory that is used again arrives as it was', () => {
  it('through a session, both ways', async () => {
    const [one, other] = await socketPair();
    let received = '';
    const upstream = registry((digest) => {
      received = digest;
    });
    const handler = gatewayHandler({ upstream });
    const near = new YamuxSession(one, { role: 'client' });
    const far = new YamuxSession(other, {
      role: 'server',
      onStream: (stream) => void serveRequest(stream, handler),
    });
    cleanups.push(
      () => near.destroy(),
      () => far.destroy(),
    );
    const lost = (cause: unknown): Error => new UnreachableError('lost', { cause });
    const stream = await near.openStream();
    const answer = await exchange(
      stream,
      { method: 'PUT', path: '/v2/a/manifests/x', body: overwriting(bytes, 50_000) },
      lost,
    );
    expect(await digestOf(answer.body)).toBe(sha256(bytes));
    expect(received).toBe(sha256(bytes));
  });

  it('by a gateway on its port', async () => {
    const server = await startGateway(gatewayHandler({ upstream: registry() }));
    cleanups.push(() => server.close());
    const asked = httpRequest(`http://${server.host}/v2/a/blobs/x`, { agent: false }).end();
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject);
    });
    expect(await digestOf(answer as AsyncIterable<Uint8Array>)).toBe(sha256(bytes));
  });

  it('by the proxy of the API server', async () => {
    let received = '';
    await using api = await startApiServer((request, response) => {
      void digestOf(request as AsyncIterable<Uint8Array>).then((digest) => {
        received = digest;
        return response.end();
      });
    });
    const client = await api.open();
    const answer = await client.requestService({
      namespace: 'ci',
      service: 'https:store:gateway',
      method: 'PATCH',
      path: '/x',
      headers: async () => ({}),
      body: overwriting(bytes, 50_000),
      isFromService: () => true,
    });
    await answer.discard();
    expect(received).toBe(sha256(bytes));
  });
});
