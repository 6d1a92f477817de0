import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { digestOf } from '@reposure/core/oci';
import { describe, expect, it } from 'vitest';

import { registryHandler } from './handler.ts';
import { codeOf, manifestInit, pushBlob, pushImage, startFixture } from './test/fixture.ts';

describe('the registry', () => {
  it('says that it is one', async () => {
    await using fixture = await startFixture();
    const response = await fixture.send('GET', '/v2/');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(await response.json()).toEqual({});
  });

  it('answers a probe', async () => {
    await using fixture = await startFixture();
    expect((await fixture.send('GET', '/')).status).toBe(200);
  });

  it.each([
    ['POST', '/v2/a/tags/list', 'GET, HEAD'],
    ['PUT', '/v2/_catalog', 'GET, HEAD'],
    ['PATCH', '/v2/a/manifests/latest', 'GET, HEAD, PUT, DELETE'],
  ])('answers 405 to %s %s', async (method, path, allow) => {
    await using fixture = await startFixture();
    const response = await fixture.send(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await codeOf(response)).toBe('UNSUPPORTED');
  });

  it.each([
    ['/v2/UPPER/tags/list', 400],
    ['/v2/a//b/tags/list', 400],
    ['/v2/_layers/tags/list', 400],
    ['/v2/a%2F..%2Fb/tags/list', 400],
    ['/v2/%ff/tags/list', 400],
    ['/v1/search', 404],
    ['/v2/a/secrets/b', 404],
  ])('has nothing at %s', async (path, status) => {
    await using fixture = await startFixture();
    expect((await fixture.send('GET', path)).status).toBe(status);
  });

  it('does not delete where that is off, but forgets uploads', async () => {
    await using fixture = await startFixture({ deletes: false });
    const digest = await pushImage(fixture, 'a', 'latest');
    for (const path of ['manifests/latest', `manifests/${digest}`, `blobs/${digest}`]) {
      expect((await fixture.send('DELETE', `/v2/a/${path}`)).status).toBe(405);
    }
    const begun = await fixture.send('POST', '/v2/a/blobs/uploads/');
    const path = begun.headers.get('location') ?? '';
    expect((await fixture.send('DELETE', path)).status).toBe(204);
  });

  it('does not change when it is read only', async () => {
    await using fixture = await startFixture({ readOnly: true });
    expect((await fixture.send('POST', '/v2/a/blobs/uploads/')).status).toBe(405);
    expect((await fixture.send('PUT', '/v2/a/manifests/1', manifestInit('{}'))).status).toBe(405);
    expect((await fixture.send('GET', '/v2/_catalog')).status).toBe(200);
  });

  it('keeps what it has over a restart', async () => {
    await using fixture = await startFixture();
    const digest = await pushImage(fixture, 'a', 'latest');
    await fixture.restart();
    const head = await fixture.send('HEAD', '/v2/a/manifests/latest');
    expect(head.headers.get('docker-content-digest')).toBe(digest);
  });

  it('lets a client that sends before it reads get to a refusal, and to the next answer', async () => {
    await using fixture = await startFixture({ maxBytes: 1000 });
    const body = Buffer.alloc(8_000_000);
    const socket = connect(fixture.registry.port, '127.0.0.1');
    const head = ['Host: registry', `Content-Length: ${body.length}`];
    socket.write(`POST /v2/a/blobs/uploads/?digest=${digestOf(body)} HTTP/1.1\r\n`);
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    await new Promise<void>((resolve) => void socket.write(body, () => resolve()));
    socket.write('GET /v2/ HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n');
    const answers = await text(socket);
    expect(answers).toMatch(/^HTTP\/1\.1 507 .*HTTP\/1\.1 200 /s);
  });

  it('names no upload and no query in its log', async () => {
    const said: string[] = [];
    const say = (message: string): void => void said.push(message);
    await using fixture = await startFixture({ log: { debug: say, info: say, warn: say } });
    const begun = await fixture.send('POST', '/v2/a/blobs/uploads/?a=secret');
    const id = begun.headers.get('docker-upload-uuid') ?? 'no id';
    await fixture.send('GET', begun.headers.get('location') ?? '');
    expect(said).toContain('GET /v2/a/blobs/uploads/… answered 204');
    expect(said.join('\n')).not.toMatch(new RegExp(`secret|${id}`));
  });

  it('runs in any server of Node', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reposure-registry-'));
    const server = createServer(registryHandler({ directory })).listen(0, '127.0.0.1');
    try {
      await new Promise<void>((resolve) => void server.once('listening', () => resolve()));
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/v2/`);
      expect(response.status).toBe(200);
    } finally {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      await rm(directory, { recursive: true });
    }
  });

  it('ends with connections open', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', Buffer.alloc(8_000_000));
    const socket = connect(fixture.registry.port, '127.0.0.1');
    const closed = new Promise<void>((resolve) => void socket.on('close', () => resolve()));
    socket.on('error', () => {});
    // A reader that reads nothing: the answer fills the buffers and waits.
    socket.pause();
    socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: registry\r\n\r\n`);
    await fixture.send('GET', '/v2/');
    await fixture.registry.close();
    socket.resume();
    await closed;
    await fixture.restart();
    expect((await fixture.send('GET', '/v2/')).status).toBe(200);
  });
});
