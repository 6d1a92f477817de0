import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';

import { afterEach, describe, expect, it } from 'vitest';

import { overwriting } from '../../../test/support/overwriting.ts';
import { Seeded } from '../../../test/support/seeded.ts';
import { collect } from '../bytes.ts';
import { makeServerCertificate } from '../certificates.ts';
import { BodyLengthError } from './body-sender.ts';
import { exchange } from './client-exchange.ts';
import type { HttpAnswer, HttpRequest } from './client-exchange.ts';
import { Connections } from './connections.ts';
import { TruncatedMessageError } from './message-error.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface RawServer {
  readonly origin: string;
  /** All that were accepted. */
  readonly sockets: Socket[];
}

/** Says whatever a test wants it to say. */
async function serve(
  onConnection: (socket: Socket) => void,
  tls?: { readonly cert: string; readonly key: string },
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const accept = (socket: Socket): void => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  };
  const server = tls ? createTlsServer(tls, accept) : createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, sockets };
}

/** Answers every request without a body with the next of these. */
const saying =
  (...answers: readonly string[]): ((socket: Socket) => void) =>
  (socket) => {
    let asked = '';
    socket.on('data', (chunk: Buffer) => {
      asked += chunk.toString('latin1');
      for (let end = asked.indexOf('\r\n\r\n'); end >= 0; end = asked.indexOf('\r\n\r\n')) {
        asked = asked.slice(end + 4);
        socket.write(answers[given++ % answers.length] ?? '');
      }
    });
    let given = 0;
  };

function connections(options: ConstructorParameters<typeof Connections>[0] = {}): Connections {
  const made = new Connections(options);
  cleanups.push(() => made.close());
  return made;
}

type Asked = Partial<HttpRequest> & { readonly silenceTimeoutMs?: number };

async function ask(
  from: Connections,
  origin: string,
  { silenceTimeoutMs = 10_000, ...request }: Asked = {},
): Promise<HttpAnswer> {
  const connection = await from.take(origin);
  const headers = { host: 'server', ...request.headers };
  return await exchange(
    connection,
    { method: 'GET', path: '/x', ...request, headers },
    { answerTimeoutMs: silenceTimeoutMs, silenceTimeoutMs, lost: (cause) => cause },
  );
}

const bodyOf = async ({ body }: HttpAnswer): Promise<string> =>
  (await collect(body, 'it', 1e8)).toString('latin1');
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('answers', () => {
  it('are read the same however they are cut into packets', async () => {
    const seeded = new Seeded();
    const long = randomBytes(3000).toString('latin1').replaceAll('\r', 'x');
    const answers = [
      ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', ''],
      ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
      ['GET', 'HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n', ''],
      ['GET', 'HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ''],
      [
        'GET',
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nbb8\r\n${long}\r\n0\r\nA: b\r\n\r\n`,
        `abc${long}`,
      ],
    ] as const;
    const order = Array.from({ length: 40 }, () => answers[seeded.below(answers.length)]);
    let turn = 0;
    const { origin, sockets } = await serve((socket) => {
      socket.setNoDelay(true).on('data', () => {
        const bytes = Buffer.from(order[turn++]?.[1] ?? '', 'latin1');
        const cuts = [0, ...seeded.ascending(4, bytes.byteLength), bytes.byteLength];
        void (async () => {
          for (const [at, cut] of cuts.entries()) {
            socket.write(bytes.subarray(cut, cuts[at + 1]));
            await delay(0);
          }
        })();
      });
    });
    const own = connections();
    for (const expected of order) {
      const answer = await ask(own, origin, { method: expected?.[0] ?? '' });
      const read = await bodyOf(answer);
      expect({ seed: seeded.seed, read }).toEqual({ seed: seeded.seed, read: expected?.[2] });
    }
    expect(sockets).toHaveLength(1);
  });

  it('are never whole when they were cut, wherever that was', async () => {
    const whole = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ];
    for (const text of whole) {
      for (let cut = 0; cut < text.length; cut++) {
        const { origin } = await serve((socket) =>
          socket.on('data', () => socket.end(text.slice(0, cut))),
        );
        const failure = await failureOf(ask(connections(), origin).then(bodyOf));
        expect({ cut, failure }).toEqual({ cut, failure: expect.any(TruncatedMessageError) });
      }
    }
  });

  it('end with the connection where nothing else says so', async () => {
    const { origin } = await serve((socket) =>
      socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\nA: b\r\na:c\r\n\r\nhello')),
    );
    const answer = await ask(connections(), origin);
    expect(answer.headers).toEqual({ a: 'b, c' });
    expect(await bodyOf(answer)).toBe('hello');
  });

  it('that were let go of are not whole', async () => {
    const { origin } = await serve(saying('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
    const answer = await ask(connections(), origin);
    await answer.discard();
    expect(await failureOf(bodyOf(answer))).toBeInstanceOf(Error);
  });

  it.each([
    ['plain', false],
    ['TLS', true],
  ])('keep their bytes while a slow reader reads them: %s', async (_, isTls) => {
    const bytes = randomBytes(6_000_000);
    const made = await makeServerCertificate({ dnsNames: [], addresses: ['127.0.0.1'] });
    const tls = { cert: made.certificatePem, key: made.keyPem };
    const { origin } = await serve(
      (socket) =>
        socket.on('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.byteLength}\r\n\r\n`);
          socket.write(bytes);
        }),
      isTls ? tls : undefined,
    );
    const own = connections({ secureContext: createSecureContext({ ca: made.caPem }) });
    for (let round = 0; round < 2; round++) {
      const { body } = await ask(own, origin);
      const hash = createHash('sha256');
      let chunks = 0;
      for await (const chunk of body) {
        const before = sha256(chunk);
        if (chunks++ % 5 === 0) await delay(3);
        expect(sha256(chunk)).toBe(before);
        hash.update(chunk);
      }
      expect(hash.digest('hex')).toBe(sha256(bytes));
    }
  });

  it('that do not come end the wait; a reader may take its time', async () => {
    const { origin } = await serve(saying('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'));
    const answer = await ask(connections(), origin, { silenceTimeoutMs: 60 });
    const chunks = answer.body[Symbol.asyncIterator]();
    await chunks.next();
    await delay(200);
    const failure = await failureOf(chunks.next());
    expect(failure).toMatchObject({ code: 'SILENCE_TIMEOUT' });
    const mute = await serve(() => {});
    const none = await failureOf(ask(connections(), mute.origin, { silenceTimeoutMs: 60 }));
    expect(none).toMatchObject({ code: 'ANSWER_TIMEOUT' });
  });
});

describe('connections', () => {
  const short = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx';

  it.each([
    ['a whole answer', short, 1],
    [
      'one that says how long it is kept',
      short.replace('\r\n', '\r\nKeep-Alive: timeout=5\r\n'),
      1,
    ],
    [
      'one that says it is kept no longer',
      short.replace('\r\n', '\r\nKeep-Alive: timeout=0\r\n'),
      2,
    ],
    ['one that says close', short.replace('\r\n', '\r\nConnection: close\r\n'), 2],
    ['one of HTTP/1.0', short.replace('/1.1', '/1.0'), 2],
    ['more than an answer', `${short}y`, 2],
  ])('after %s', async (_, answer, count) => {
    const { origin, sockets } = await serve(saying(answer));
    const own = connections();
    for (let round = 0; round < 2; round++) {
      expect(await bodyOf(await ask(own, origin))).toBe('x');
      await delay(20);
    }
    expect(sockets).toHaveLength(count);
  });

  it('are closed when they were idle for as long as the server keeps them', async () => {
    const { origin, sockets } = await serve(
      saying(short.replace('\r\n', '\r\nKeep-Alive: timeout=2\r\n')),
    );
    await bodyOf(await ask(connections(), origin));
    await expect.poll(() => sockets[0]?.closed, { timeout: 3000 }).toBe(true);
  });

  it('end with what is under way on them', async () => {
    const { origin } = await serve(() => {});
    const own = connections();
    const waiting = failureOf(ask(own, origin));
    await expect.poll(() => own.close().then(() => true)).toBe(true);
    expect(await waiting).toMatchObject({ code: 'CLOSED_HERE' });
    expect(await failureOf(ask(own, origin))).toMatchObject({ code: 'CLOSED_HERE' });
  });
});

describe('bodies of requests', () => {
  const bytes = randomBytes(3_000_000);

  async function receiver(): Promise<{
    readonly origin: string;
    readonly got: () => string;
    readonly answered: Promise<void>;
  }> {
    const received: Buffer[] = [];
    const answered = Promise.withResolvers<void>();
    const { origin } = await serve((socket) =>
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        const all = Buffer.concat(received);
        const start = all.indexOf('\r\n\r\n') + 4;
        const isWhole = all.subarray(-5).equals(Buffer.from('0\r\n\r\n'));
        if (!isWhole && all.byteLength - start < bytes.byteLength) return;
        socket.write('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n', () => answered.resolve());
      }),
    );
    const got = (): string => Buffer.concat(received).toString('latin1');
    return { origin, got, answered: answered.promise };
  }

  it('are sent from memory that is used again', async () => {
    const { origin, got } = await receiver();
    const headers = { 'content-length': String(bytes.byteLength) };
    const body = overwriting(bytes, 70_000);
    expect(await ask(connections(), origin, { method: 'PATCH', headers, body })).toMatchObject({
      status: 201,
    });
    expect(got().split('\r\n\r\n', 1)[0]).toContain(`content-length: ${bytes.byteLength}`);
    expect(got().endsWith(bytes.toString('latin1'))).toBe(true);
  });

  it('are sent in chunks where nobody knows their length', async () => {
    const { origin, got } = await receiver();
    const body = overwriting(Buffer.from('hello'), 3);
    await ask(connections(), origin, { method: 'POST', body });
    expect(got()).toMatch(/transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n$/);
  });

  it.each([
    ['shorter', 6],
    ['longer', 4],
  ])('fail if they are %s than announced', async (_, length) => {
    const { origin, sockets } = await serve((socket) => socket.resume());
    const headers = { 'content-length': String(length) };
    for (const body of [Buffer.from('hello'), overwriting(Buffer.from('hello'), 1)]) {
      const request = { method: 'PATCH', headers, body };
      expect(await failureOf(ask(connections(), origin, request))).toBeInstanceOf(BodyLengthError);
    }
    await expect.poll(() => sockets.every(({ closed }) => closed)).toBe(true);
  });

  it('stop where the answer comes before their end', async () => {
    const { origin, sockets } = await serve((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Large\r\nContent-Length: 4\r\n\r\nmore');
      });
    });
    let isEnded = false;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) yield bytes;
      } finally {
        isEnded = true;
      }
    }
    const own = connections();
    const answer = await ask(own, origin, { method: 'PATCH', body: endless() });
    expect(answer.status).toBe(413);
    await expect.poll(() => isEnded).toBe(true);
    expect(await bodyOf(answer)).toBe('more');
    await bodyOf(await ask(own, origin));
    expect(sockets).toHaveLength(2);
  });

  it('that prove false at their end fail, though the answer has come', async () => {
    const { origin, answered } = await receiver();
    async function* lying(): AsyncGenerator<Uint8Array, void> {
      yield bytes;
      await answered;
      await delay(50);
      throw new Error('another digest');
    }
    const headers = { 'content-length': String(bytes.byteLength) };
    const failure = failureOf(
      ask(connections(), origin, { method: 'PATCH', headers, body: lying() }),
    );
    expect(String(await failure)).toContain('another digest');
  });

  it('are left where they are when the request is aborted', async () => {
    const { origin } = await serve((socket) => socket.pause());
    const controller = new AbortController();
    const { signal } = controller;
    let isEnded = false;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) yield bytes;
      } finally {
        isEnded = true;
      }
    }
    const failing = failureOf(
      ask(connections(), origin, { method: 'PATCH', body: endless(), signal }),
    );
    await delay(50);
    controller.abort(new Error('enough'));
    expect(await failing).toBe(signal.reason);
    await expect.poll(() => isEnded).toBe(true);
  });
});
