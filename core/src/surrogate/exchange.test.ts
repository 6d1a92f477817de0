import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';

import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import type { RegistryRequest, RegistryResponse } from '../registry/transport.ts';
import { exchange } from './exchange.ts';
import { serveRequest } from './serve-request.ts';
import { patternBytes } from './test/support.ts';
import { YamuxSession } from './yamux/session.ts';
import type { YamuxStream } from './yamux/stream.ts';

const MiB = 1024 * 1024;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Ends {
  readonly near: YamuxSession;
  readonly far: YamuxSession;
  /** Of both ends, all that ever were. */
  readonly streams: Duplex[];
  readonly ask: (request: Partial<RegistryRequest>) => Promise<RegistryResponse>;
}

/** Both ends, with what serves a stream at the far one. */
function between(onStream: (stream: YamuxStream) => void): Ends {
  const [one, other] = duplexPair();
  const streams: Duplex[] = [];
  const near = new YamuxSession(one, { role: 'client' });
  const far = new YamuxSession(other, {
    role: 'server',
    onStream: (stream) => {
      streams.push(stream);
      onStream(stream);
    },
  });
  cleanups.push(() => near.destroy());
  const lost = (cause: unknown): Error => new UnreachableError('lost', { cause });
  return {
    near,
    far,
    streams,
    ask: async (request) => {
      const stream = await near.openStream();
      streams.push(stream);
      return exchange(stream, { method: 'GET', path: '/v2/x', ...request }, lost);
    },
  };
}

const serving = (handler: RequestListener): Ends =>
  between((stream) => void serveRequest(stream, handler));
/** Whatever is asked, the same bytes come back, and then an end. */
const saying = (text: string): Ends =>
  between((stream) => {
    stream.resume();
    stream.end(text);
  });

const textOf = async ({ body }: RegistryResponse): Promise<string> =>
  (await collect(body, 'the answer', MiB)).toString();
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const rest = async (request: AsyncIterable<unknown>): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
};

describe('exchange()', () => {
  it('carries a hundred requests at a time, and leaves no stream behind', async () => {
    const { near, far, ask, streams } = serving((request, response) => {
      void rest(request).then((digest) =>
        response.end(`${request.method} ${request.url} ${digest}`),
      );
    });
    const answers = Array.from({ length: 100 }, async (_, at) => {
      const body = at % 2 ? patternBytes(at * 5000) : Buffer.alloc(at * 5000, at);
      const text = await textOf(await ask({ method: 'PUT', path: `/v2/${at}`, body }));
      const sent = at % 2 ? patternBytes(at * 5000) : [Buffer.alloc(at * 5000, at)];
      const hash = createHash('sha256');
      for await (const chunk of sent) hash.update(chunk);
      return text === `PUT /v2/${at} ${hash.digest('hex')}`;
    });
    expect((await Promise.all(answers)).filter((isRight) => !isRight)).toEqual([]);
    await Promise.all([near.idle(), far.idle()]);
    expect([near.streamCount, far.streamCount]).toEqual([0, 0]);
    await expect.poll(() => streams.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('has the answer to HEAD and 204 without a body, and leaves no stream behind either', async () => {
    const { ask, streams } = serving((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '5000' }).end();
      else response.writeHead(204, { location: '/v2/y' }).end();
    });
    const head = await ask({ method: 'HEAD' });
    expect([head.status, head.headers['content-length'], await textOf(head)]).toEqual([
      200,
      '5000',
      '',
    ]);
    const gone = await ask({ method: 'DELETE' });
    expect([gone.status, gone.headers['location'], await textOf(gone)]).toEqual([204, '/v2/y', '']);
    await expect.poll(() => streams.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('reads an answer whose length nobody knew', async () => {
    const { ask } = serving((_, response) => {
      response.write('first, ');
      setImmediate(() => response.end('second'));
    });
    const answer = await ask({});
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(await textOf(answer)).toBe('first, second');
    const untilTheEnd = saying('HTTP/1.1 200 OK\r\n\r\nall of it');
    expect(await textOf(await untilTheEnd.ask({}))).toBe('all of it');
  });

  it.each([
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['half of its length', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'],
    ['no last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'],
    ['something else', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ])('fails over an answer with %s', async (_, text) => {
    const { near, ask } = saying(text);
    const failure = await failureOf(ask({}).then(textOf));
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(near.streamCount).toBe(0);
  });

  it('lets go of an answer that is not wanted, whether it is short, long, or read in part', async () => {
    const aborted: unknown[] = [];
    const { near, far, ask } = serving((request, response) => {
      request.once('aborted', () => void aborted.push(request.url));
      if (request.url === '/v2/short') response.end('short');
      else response.write(Buffer.alloc(100_000));
    });
    await (await ask({ path: '/v2/short' })).discard();
    await (await ask({ path: '/v2/long' })).discard();
    const answer = await ask({ path: '/v2/long' });
    for await (const chunk of answer.body) if (chunk.byteLength > 0) break;
    await Promise.all([near.idle(), far.idle()]);
    expect([near.streamCount, far.streamCount]).toEqual([0, 0]);
  });

  it('lets go of an answer that was whole before its stream had ended', async () => {
    const { ask, streams } = between((stream) => {
      stream.resume();
      stream.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
      setTimeout(() => stream.end(), 50);
    });
    expect(await textOf(await ask({}))).toBe('hello');
    await expect.poll(() => streams.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('keeps at a distance what is no header', async () => {
    const { near, ask } = serving((_, response) => void response.end());
    const failure = await failureOf(ask({ headers: { accept: 'a\r\nx-more: b' } }));
    expect(failure).toBeInstanceOf(TypeError);
    expect(near.streamCount).toBe(0);
  });
});

describe('serveRequest()', () => {
  it.each([
    ['no request', 'hello\r\n\r\n', 0],
    ['a request with two lengths', 'PUT /v2/ HTTP/1.1\r\ncontent-length: 1, 2\r\n\r\n', 0],
    ['half a body', 'PUT /v2/ HTTP/1.1\r\ncontent-length: 10\r\n\r\nhello', 1],
    ['a second request', 'GET /v2/ HTTP/1.1\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n', 1],
    ['no last chunk', 'PUT /v2/ HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', 1],
  ])('breaks off %s', async (_, text, handled) => {
    const bodies: Promise<unknown>[] = [];
    const { near } = serving((request) => void bodies.push(failureOf(rest(request))));
    const stream = await near.openStream();
    stream.end(text);
    const failure = await failureOf(collect(stream, 'the answer', MiB));
    expect(failure).toMatchObject({ code: 'UNREACHABLE' });
    const isWhole = text.startsWith('GET');
    expect((await Promise.all(bodies)).map((body) => body instanceof Error)).toEqual(
      Array(handled).fill(!isWhole),
    );
  });
});
