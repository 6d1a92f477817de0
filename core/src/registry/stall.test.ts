import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { directTransport } from './direct.ts';
import type { ClosableTransport } from './direct.ts';
import { breakingStalls } from './stall.ts';
import { startTestServer } from './test/server.ts';
import type { Answer, TestServer } from './test/server.ts';
import type { RegistryRequest, Transport } from './transport.ts';

const stallTimeoutMs = 150;
const path = '/v2/a/blobs/uploads/s3cret';
const MiB = 1024 * 1024;

let server: TestServer;
let transport: ClosableTransport;

async function against(answer: Answer, timeoutMs = stallTimeoutMs): Promise<Transport> {
  server = await startTestServer((request, response) => {
    if (request.url === '/v2/') response.end();
    else answer(request, response);
  });
  transport = directTransport({ host: server.host, insecure: true });
  return breakingStalls(transport, timeoutMs);
}

afterEach(async () => {
  await transport.close();
  await server.close();
});

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((e: unknown) => e);

/** @param pauseMs Before each chunk. */
async function* slow(chunks: number, bytes: number, pauseMs: number): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < chunks; chunk++) {
    await delay(pauseMs);
    yield Buffer.alloc(bytes);
  }
}
const patch = (body: AsyncIterable<Uint8Array>, bytes: number): RegistryRequest => ({
  method: 'PATCH',
  path,
  headers: { 'content-length': String(bytes) },
  body,
});

describe('breakingStalls()', () => {
  it('breaks off a request that is not answered, worth another try, without its secret', async () => {
    const request = await against(() => {});
    const failure = await failureOf(request({ method: 'GET', path }));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(String(failure)).toMatch(/GET \/v2\/a\/blobs\/uploads\/….*no byte moved for 0\.[12] s/);
    expect(String(failure)).not.toContain('s3cret');
  });

  it('breaks off an upload whose bytes nobody takes', async () => {
    const request = await against((asked) => void asked.pause());
    const failure = await failureOf(request(patch(slow(64, MiB, 0), 64 * MiB)));
    expect(failure).toBeInstanceOf(UnreachableError);
  });

  it('breaks off an upload that is taken and not answered', async () => {
    const request = await against((asked) => void asked.resume());
    const failure = await failureOf(request(patch(slow(2, 10, 0), 20)));
    expect(failure).toMatchObject({ message: expect.stringMatching(/no byte moved/) });
  });

  it('gives the request that finishes an upload longer', async () => {
    const request = await against((_, response) => {
      setTimeout(() => response.writeHead(201).end(), 3 * stallTimeoutMs);
    });
    const response = await request({ method: 'PUT', path, body: Buffer.from('the end') });
    await response.discard();
    expect(response.status).toBe(201);
  });

  it.each([
    ['an upload that is not finished', path],
    ['a manifest', '/v2/a/manifests/1'],
  ])('waits in proportion for the answer to %s', async (_, target) => {
    const request = await against((asked) => void asked.resume());
    const body = Buffer.alloc(MiB); // a slow link would take 16 s for what it may still hold
    const failure = await failureOf(request({ method: 'PUT', path: target, body }));
    expect(failure).toMatchObject({ message: expect.stringMatching(/no byte moved for 0\.\d s/) });
  });

  it('breaks off an answer that stops', async () => {
    const request = await against((_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('12345');
    });
    const response = await request({ method: 'GET', path });
    const failure = await failureOf(Array.fromAsync(response.body));
    expect(failure).toMatchObject({ message: expect.stringMatching(/no byte moved/) });
  });

  it('waits for a source that is slow', async () => {
    const request = await against((asked, response) => {
      asked.resume().once('end', () => response.writeHead(202).end());
    });
    const response = await request(patch(slow(2, 10, 2 * stallTimeoutMs), 20));
    await response.discard();
    expect(response.status).toBe(202);
  });

  it('waits for a reader that is slow', async () => {
    const request = await against((_, response) => void response.end(Buffer.alloc(4 * MiB)));
    const response = await request({ method: 'GET', path });
    let bytes = 0;
    for await (const chunk of response.body) {
      if (bytes === 0) await delay(3 * stallTimeoutMs);
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(4 * MiB);
  });

  it('lets a slow answer go on as long as bytes come', async () => {
    const request = await against((_, response) => {
      response.writeHead(200, { 'content-length': 6 });
      let sent = 0;
      const timer = setInterval(() => {
        response.write('x');
        if (++sent === 6) clearInterval(timer);
      }, 400);
    }, 2000);
    const response = await request({ method: 'GET', path });
    expect(String(await collect(response.body, 'it', 1e9))).toBe('xxxxxx');
  });

  it('ends with the reason of the request, not of the clock', async () => {
    const request = await against(() => {});
    const reason = new Error('the person pressed Ctrl-C');
    const controller = new AbortController();
    const asked = failureOf(request({ method: 'GET', path, signal: controller.signal }));
    controller.abort(reason);
    expect(await asked).toBe(reason);
  });
});
