import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterEach, describe, expect, it } from 'vitest';

import { serveConnection } from './serve-connection.ts';
import { StreamedRequest } from './serve-request.ts';

const stack: (() => void)[] = [];

afterEach(() => {
  for (const end of stack.splice(0)) end();
});

interface Served {
  readonly client: Socket;
  /** Settles when the connection has been served to its end. */
  readonly over: Promise<void>;
}

async function serve(
  handler: RequestListener,
  { headTimeoutMs = 10_000, isLast = false } = {},
): Promise<Served> {
  const over = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    void serveConnection(socket, { handler, headTimeoutMs, isEnding: () => isLast }).then(
      over.resolve,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
  stack.push(() => {
    client.destroy();
    server.close();
  });
  return { client, over: over.promise };
}

/** Everything until the text has come. */
async function readUntil(client: Socket, wanted: RegExp): Promise<string> {
  let all = '';
  while (!wanted.test(all)) {
    const [chunk] = (await once(client, 'data')) as [string];
    all += chunk;
  }
  return all;
}

const echo: RequestListener = (request, response) => {
  void text(request).then((body) => response.end(`<${request.method} ${request.url} ${body}>`));
};

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe('serveConnection()', () => {
  it('serves one request after the other, also those that come at once', async () => {
    const { client } = await serve(echo);
    client.write(post('/1', 'one'));
    const first = await readUntil(client, /<POST \/1 one>/);
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.write(`${post('/2', 'two')}GET /3 HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(await readUntil(client, /<GET \/3 >/)).toContain('<POST /2 two>');
  });

  it('leaves nothing on the connection, however many requests it carries', async () => {
    let listeners: number[] = [];
    const { client } = await serve((request, response) => {
      listeners = ['close', 'drain', 'data'].map((name) => request.socket.listenerCount(name));
      echo(request, response);
    });
    const counts: number[][] = [];
    for (const path of ['/1', '/2', '/3']) {
      client.write(post(path, 'x'));
      await readUntil(client, new RegExp(`<POST ${path} x>`));
      counts.push(listeners);
    }
    expect(counts[2]).toEqual(counts[0]);
  });

  it.each([
    ['does not read', async () => {}],
    [
      'reads the first part of',
      async (request: unknown) => {
        if (request instanceof StreamedRequest) for await (const _ of request.bytes()) break;
      },
    ],
  ])('goes on behind a body that nobody %s', async (_, read) => {
    const { client } = await serve((request, response) => {
      void read(request).then(() => response.end(`<${request.url}>`));
    });
    client.write(post('/1', 'x'.repeat(3_000_000)));
    await readUntil(client, /<\/1>/);
    client.write(post('/2', 'y'));
    expect(await readUntil(client, /<\/2>/)).toContain('200 OK');
  });

  it('lets a client send that asks first', async () => {
    const { client } = await serve(echo);
    const head = 'POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n';
    client.write(head);
    await readUntil(client, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.write('ok');
    expect(await readUntil(client, /<POST \/1 ok>/)).toContain('200 OK');
  });

  it('takes chunks, and says no to what is no request', async () => {
    const { client, over } = await serve(echo);
    client.write('POST /1 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n');
    await readUntil(client, /<POST \/1 ab>/);
    client.write('nonsense\r\n\r\n');
    expect(await readUntil(client, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 400 /);
    await over;
  });

  it.each([
    ['the client wants', 'connection: close\r\n', {}],
    ['no other may follow', '', { isLast: true }],
  ])('ends where %s it', async (_, header, options) => {
    const { client, over } = await serve(echo, options);
    client.write(`GET /1 HTTP/1.1\r\nhost: a\r\n${header}\r\n`);
    const ended = once(client, 'end');
    await readUntil(client, /<GET \/1 >/);
    expect(await Promise.all([ended, over])).toHaveLength(2);
  });

  it('tells the handler when the client hangs up', async () => {
    const closed = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { client, over } = await serve((_, response) => {
      response.once('close', () => closed.resolve());
      response.write('begun');
      begun.resolve();
    });
    client.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\n');
    await begun.promise;
    client.destroy();
    expect(await Promise.all([closed.promise, over])).toHaveLength(2);
  });

  it('waits so long for a head, and no longer', async () => {
    const { client, over } = await serve(echo, { headTimeoutMs: 50 });
    client.write('GET /1 HTTP/1.1\r\nhost');
    expect(await Promise.all([once(client, 'close'), over])).toHaveLength(2);
  });
});
