import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import type { ExecOptions } from './client.ts';
import { refuse, startApiServer } from './test/api-server.ts';
import type { ApiServer } from './test/api-server.ts';

const target: ExecOptions = {
  namespace: 'ci',
  pod: 'reposure-surrogate-default-0',
  container: 'surrogate',
  command: ['serve', 'a b'],
};
const v5 = 'v5.channel.k8s.io';
const v4 = 'v4.channel.k8s.io';

/** A server that speaks the exec protocol as the API server does; the test is the container. */
async function startExecServer(
  container: (socket: WebSocket, request: IncomingMessage) => void,
  protocol = v5,
): Promise<ApiServer> {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  const api = await startApiServer((_, response) => response.end());
  api.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      for (const channel of [1, 2, 3]) accepted.send(Buffer.of(channel));
      container(accepted, request);
    });
  });
  return api;
}

/** A server that agrees to everything, and says what no server should. */
async function startRawServer(
  far: (socket: Duplex) => void,
  altered: Readonly<Record<string, string>> = {},
  first: Buffer = Buffer.of(),
): Promise<ApiServer> {
  const api = await startApiServer((_, response) => response.end());
  api.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Accept': createHash('sha1').update(key).digest('base64'),
      'Sec-WebSocket-Protocol': v5,
      ...altered,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
    socket.on('error', () => {});
    socket.write(Buffer.concat([Buffer.from(answer), first]));
    far(socket);
  });
  return api;
}

function say(socket: WebSocket, channel: number, text: string | Buffer): void {
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
}

const succeeded = JSON.stringify({ status: 'Success' });

describe('exec()', () => {
  it('asks for the program in the way of the API', async () => {
    let asked: IncomingMessage | undefined;
    await using api = await startExecServer((socket, request) => {
      asked = request;
      say(socket, 3, succeeded);
      socket.close(1000);
    });
    const client = await api.open({ user: { token: 'abc' } });
    const session = await client.exec(target);
    await expect(session.stream.toArray()).resolves.toEqual([]);
    expect(asked?.method).toBe('GET');
    expect(asked?.url).toBe(
      '/api/v1/namespaces/ci/pods/reposure-surrogate-default-0/exec?container=surrogate' +
        '&command=serve&command=a+b&stdin=true&stdout=true&stderr=true',
    );
    expect(asked?.headers).toMatchObject({
      authorization: 'Bearer abc',
      'sec-websocket-protocol': `${v5},${v4}`,
    });
    expect(asked?.headers['sec-websocket-extensions']).toBeUndefined();
    expect(session.protocol).toBe(v5);
    await expect(session.exit).resolves.toEqual({ exitCode: 0, message: '' });
  });

  /** A container that says what it hears, until its stdin ends. */
  const echo =
    (heard: Buffer[]) =>
    (socket: WebSocket): void => {
      socket.on('message', (message: Buffer) => {
        heard.push(message);
        if (message[0] === 0) say(socket, 1, message.subarray(1));
        if (message[0] !== 255) return;
        say(socket, 3, succeeded);
        socket.close(1000);
      });
    };
  const sent = Buffer.alloc(3_000_000, 'reposure');

  it('carries bytes both ways and ends stdin over v5', async () => {
    const heard: Buffer[] = [];
    await using api = await startExecServer(echo(heard));
    const { stream, exit } = await (await api.open()).exec(target);
    stream.end(sent);
    expect(Buffer.concat(await stream.toArray()).equals(sent)).toBe(true);
    await expect(exit).resolves.toMatchObject({ exitCode: 0 });
    expect([...(heard.at(-1) ?? [])]).toEqual([255, 0]);
    expect(Math.max(...heard.map((message) => message.byteLength))).toBe(262_208);
  });

  it('carries bytes both ways over v4, which cannot end stdin', async () => {
    const heard: Buffer[] = [];
    await using api = await startExecServer(echo(heard), v4);
    const session = await (await api.open()).exec(target);
    expect(session.protocol).toBe(v4);
    session.stream.end(sent);
    const received: Buffer[] = [];
    let size = 0;
    for await (const chunk of session.stream as AsyncIterable<Buffer>) {
      received.push(chunk);
      size += chunk.length;
      if (size === sent.length) break;
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(heard.every((message) => message[0] === 0)).toBe(true);
  });

  it('does not read on while its reader stands still', async () => {
    let unsent = 0;
    await using api = await startExecServer((socket) => {
      for (let i = 0; i < 2048; i++) say(socket, 1, Buffer.alloc(32_768));
      setInterval(() => (unsent = socket.bufferedAmount), 5).unref();
      say(socket, 3, succeeded);
      socket.close(1000);
    });
    const { stream } = await (await api.open()).exec(target);
    stream.once('readable', () => {});
    await delay(300);
    // 64 MiB were said; what the buffers of both sockets do not hold is still over there.
    expect(unsent).toBeGreaterThan(32 << 20);
    expect(stream.readableLength).toBeLessThan(1 << 20);
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) size += chunk.length;
    expect(size).toBe(64 << 20);
  });

  it('does not write on while the far side stands still', async () => {
    let far: WebSocket | undefined;
    await using api = await startExecServer((socket) => {
      far = socket;
      socket.pause();
    });
    const session = await (await api.open()).exec(target);
    let taken = 0;
    const block = Buffer.alloc(1 << 20);
    for (let i = 0; i < 64; i++) session.stream.write(block, () => taken++);
    await delay(300);
    expect(taken).toBeLessThan(32);
    far?.resume();
    session.stream.end();
    await once(session.stream, 'finish');
    expect(taken).toBe(64);
    session.abort();
    await expect(session.exit).rejects.toThrow(/it was closed on this side/);
  });

  it.each([
    [{ status: 'Success' }, { exitCode: 0, message: '' }],
    [
      {
        status: 'Failure',
        reason: 'NonZeroExitCode',
        message: 'it failed',
        details: { causes: [{ reason: 'ExitCode', message: '137' }] },
      },
      { exitCode: 137, message: 'it failed' },
    ],
    [
      { status: 'Failure', reason: 'InternalError', message: 'no such file' },
      { exitCode: undefined, message: 'no such file' },
    ],
  ])('reads the exit from %j', async (status, expected) => {
    await using api = await startExecServer((socket) => {
      say(socket, 2, `${'x'.repeat(70_000)}the end`);
      say(socket, 3, JSON.stringify(status));
      socket.close(1000);
    });
    const session = await (await api.open()).exec(target);
    session.stream.resume();
    await expect(session.exit).resolves.toEqual(expected);
    expect(session.stderr()).toHaveLength(65_536);
    expect(session.stderr()).toMatch(/xthe end$/);
  });

  it('says why a write failed after the program has ended', async () => {
    await using api = await startExecServer((socket) => {
      say(socket, 2, 'bad flag');
      const details = { causes: [{ reason: 'ExitCode', message: '2' }] };
      say(socket, 3, JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details }));
      socket.close(1000);
    });
    const { stream, exit } = await (await api.open()).exec(target);
    await exit;
    const failed = once(stream, 'close').catch((error: unknown) => error);
    stream.write('x');
    await expect(failed).resolves.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/it ended with exit code 2: bad flag$/),
    });
  });

  it('tells that the connection was lost', async () => {
    await using api = await startExecServer((socket) => {
      say(socket, 1, 'half');
      setTimeout(() => socket.terminate(), 20);
    });
    const { stream, exit } = await (await api.open()).exec(target);
    const expected = { code: 'UNREACHABLE', isTransient: true };
    await expect(stream.toArray()).rejects.toMatchObject(expected);
    await expect(exit).rejects.toMatchObject(expected);
  });

  it.each(['signal', 'abort'])('ends at once by %s', async (by) => {
    let far: WebSocket | undefined;
    await using api = await startExecServer((socket) => (far = socket));
    const stop = new AbortController();
    const session = await (await api.open()).exec({ ...target, signal: stop.signal });
    const reason = new Error('enough');
    const gone = once(far as WebSocket, 'close');
    if (by === 'signal') stop.abort(reason);
    else session.abort(reason);
    await expect(session.stream.toArray()).rejects.toBe(reason);
    await expect(session.exit).rejects.toBe(reason);
    await expect(gone).resolves.toContain(1006);
  });

  it.each([
    [
      403,
      'Forbidden',
      /may not; want the verbs "create" and "get" on "pods\/exec".*"reposure registry role default --exec"/,
    ],
    [404, 'NotFound', /Cannot exec in Pod ci\/reposure-surrogate-default-0 at .*: may not$/],
  ])('passes on a refusal with %i', async (status, reason, message) => {
    await using api = await startApiServer((_, response) =>
      refuse(response, status, reason, 'may not'),
    );
    const failure = await (await api.open()).exec(target).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CLUSTER_RESPONSE', status, reason });
    expect(String(failure)).toMatch(message);
  });

  it('says that nobody speaks its protocols', async () => {
    await using api = await startExecServer(() => {}, 'v1.other');
    await expect((await api.open()).exec(target)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('says that nobody is there', async () => {
    const api = await startApiServer(() => {});
    const client = await api.open();
    await api[Symbol.asyncDispose]();
    await expect(client.exec(target)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('takes a new login when the old one is refused', async () => {
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => v5 });
    await using api = await startApiServer((_, response) => response.end());
    let tries = 0;
    api.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (++tries === 1) socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
      else sockets.handleUpgrade(request, socket, head, (accepted) => accepted.close());
    });
    await writeFile(`${api.folder}/token`, 'abc');
    const client = await api.open({ user: { tokenFile: 'token' } });
    const session = await client.exec(target);
    session.abort();
    expect(tries).toBe(2);
  });

  it.each([
    ['wrong key', { 'Sec-WebSocket-Accept': 'c29tZWJvZHkgZWxzZQ==' }, /Sec-WebSocket-Accept/],
    ['other upgrade', { Upgrade: 'h2c' }, /changes to "h2c"/],
    ['extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }, /permessage-deflate/],
    ['other subprotocol', { 'Sec-WebSocket-Protocol': 'v1.other' }, /"v1.other"; want v5/],
  ])('refuses a handshake with a %s', async (_, headers, message) => {
    let far: Duplex | undefined;
    await using api = await startRawServer((socket) => (far = socket), headers);
    const failure = await (await api.open()).exec(target).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNSUPPORTED', isTransient: false });
    expect(String((failure as Error).cause)).toMatch(message);
    await expect.poll(() => far?.destroyed).toBe(true);
  });

  it.each([
    ['masked', Buffer.of(0x82, 0x82, 1, 2, 3, 4, 5, 6), 1002, /masked/],
    ['too long', Buffer.of(0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0), 1009, /want at most/],
    ['text', Buffer.of(0x81, 1, 0x78), 1003, /want binary/],
  ])('ends on a frame that is %s, and says why', async (_, frame, code, message) => {
    const heard: Buffer[] = [];
    await using api = await startRawServer((socket) => {
      socket.on('data', (chunk: Buffer) => heard.push(chunk));
      socket.write(frame);
    });
    const { stream, exit } = await (await api.open()).exec(target);
    const failure = await stream.toArray().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNREACHABLE', isTransient: true });
    expect(String(failure)).toContain(`(WebSocket ${code})`);
    expect(String((failure as Error).cause)).toMatch(message);
    await expect(exit).rejects.toBe(failure);
    const goodbye = Buffer.of(0x88, 0x82, 0, 0, 0, 0, code >> 8, code & 0xff);
    await expect.poll(() => Buffer.concat(heard).equals(goodbye)).toBe(true);
  });

  it('hears what comes with the answer, and messages in several frames', async () => {
    const status = Buffer.from(succeeded);
    const frames = [
      [0x82, 0],
      [0x82, 1, 1],
      [0x02, 3, 1, 0x61, 0x62],
      [0x89, 1, 0x21],
      [0x00, 0],
      [0x80, 1, 0x63],
      [0x02, 1, 3],
      [0x80, status.length, ...status],
      [0x88, 2, 0x03, 0xe8],
    ];
    const heard: Buffer[] = [];
    await using api = await startRawServer(
      (socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk)),
      {},
      Buffer.from(frames.flat()),
    );
    const { stream, exit } = await (await api.open()).exec(target);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('abc');
    await expect(exit).resolves.toEqual({ exitCode: 0, message: '' });
    const pong = Buffer.of(0x8a, 0x81, 0, 0, 0, 0, 0x21);
    const goodbye = Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8);
    await expect.poll(() => Buffer.concat(heard)).toEqual(Buffer.concat([pong, goodbye]));
  });

  it('answers the latest ping only while nobody reads its answers', async () => {
    const count = 200_000;
    const pings = Buffer.alloc(127 * count, Buffer.of(0x89, 125, ...Array<number>(125).fill(0x21)));
    pings.write('the last one', pings.length - 125);
    const heard: Buffer[] = [];
    await using api = await startRawServer((socket) => {
      socket.pause();
      socket.write(pings, () => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.resume();
      });
    });
    const session = await (await api.open()).exec(target);
    await expect.poll(() => Buffer.concat(heard.slice(-2)).includes('the last one')).toBe(true);
    // What the buffers of both sockets hold was answered before; the rest is not worth it any more.
    const heardBytes = heard.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    expect(heardBytes).toBeLessThan((131 * count) / 2);
    session.abort();
  });

  it('masks over plain HTTP with other bytes each time', async () => {
    const heard: Buffer[] = [];
    const upgrades: Buffer[] = [];
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => v5 });
    const plain: Server = createServer();
    plain.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('data', (chunk: Buffer) => upgrades.push(chunk));
      sockets.handleUpgrade(request, socket, head, echo(heard));
    });
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    await using api = await startApiServer(() => {});
    const { port } = plain.address() as AddressInfo;
    const server = `http://127.0.0.1:${port}`;
    const client = await api.open({ cluster: { server, 'certificate-authority-data': undefined } });
    const { stream } = await client.exec(target);
    stream.end(sent);
    expect(Buffer.concat(await stream.toArray()).equals(sent)).toBe(true);
    expect(Buffer.concat(upgrades).includes('reposure')).toBe(false);
    client.close();
    plain.close();
  });
});
