import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { duplexPair as pairOfStreams } from 'node:stream';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../bytes.ts';
import { UnreachableError, UnsupportedError } from '../errors.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { version } from '../version.ts';
import { openSession } from './client-session.ts';
import type { SessionOptions, SurrogateSession } from './client-session.ts';
import { gatewayHandler } from './gateway.ts';
import { busyGreeting, SurrogateError } from './greeting.ts';
import { serveSession } from './server-session.ts';
import { patternBytes, startFarSide, startServer } from './test/support.ts';
import type { FarSide } from './test/support.ts';
import { maxWindowBytes } from './yamux/receive-window.ts';

const MiB = 1024 * 1024;
const far = 'the surrogate of ci/default';
const program = `${import.meta.dirname}/test/far-side.ts`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A registry, a surrogate in a process of its own, and a session with it. */
async function connected(
  listener: Listener,
  options: Partial<SessionOptions> = {},
): Promise<{ session: SurrogateSession; side: FarSide }> {
  const registry = await startServer(listener);
  cleanups.push(registry.close);
  const side = startFarSide([program, registry.host]);
  cleanups.push(side.end);
  const session = await openSession(side.stream, { far, says: side.stderr, ...options });
  cleanups.push(session.close);
  return { session, side };
}

/** Both ends in this process. */
async function paired(
  upstream: Transport,
): Promise<{ session: SurrogateSession; near: Duplex; served: Promise<void> }> {
  const [near, other] = duplexPair();
  const served = serveSession(other, gatewayHandler({ upstream }));
  const session = await openSession(near, { far });
  cleanups.push(session.close);
  return { session, near, served };
}

const answered = (status: number, headers = {}, text = ''): Awaited<ReturnType<Transport>> => ({
  status,
  headers,
  body: (async function* body() {
    if (text) yield Buffer.from(text);
  })(),
  discard: async () => {},
});

/** Two ends of a connection: when one is gone, the other is too, as with pipes and sockets. */
function duplexPair(): [Duplex, Duplex] {
  const [one, other] = pairOfStreams();
  one.once('close', () => other.destroy());
  other.once('close', () => one.destroy());
  return [one, other];
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const text = async (answer: RegistryResponse): Promise<string> =>
  (await collect(answer.body, 'the answer', MiB)).toString();

async function sha256(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source) hash.update(chunk);
  return hash.digest('hex');
}

describe('a session over the pipes of a process', () => {
  it('carries 64 MiB in both directions at once, to the byte', async () => {
    const size = 64 * MiB;
    const { session } = await connected((request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-length': size });
        void pipeline(patternBytes(size), response);
      } else void sha256(request).then((digest) => response.writeHead(202).end(digest));
    });
    const [up, down] = await Promise.all([
      session
        .request({
          method: 'PATCH',
          path: '/v2/a/blobs/uploads/1',
          headers: { 'content-length': String(size) },
          body: patternBytes(size),
        })
        .then(text),
      session
        .request({ method: 'GET', path: '/v2/a/blobs/sha256:1' })
        .then(({ body }) => sha256(body)),
    ]);
    const expected = await sha256(patternBytes(size));
    expect([up, down]).toEqual([expected, expected]);
  }, 60_000);

  it('holds no more than its windows for a reader that stalls', async () => {
    const size = 128 * MiB;
    let sent = 0;
    const { session, side } = await connected((request, response) => {
      if (request.url !== '/v2/a/blobs/sha256:1') return void response.writeHead(200).end();
      response.writeHead(200, { 'content-length': size });
      const counted = async function* counted(): AsyncGenerator<Buffer, void> {
        for await (const chunk of patternBytes(size)) {
          sent += chunk.byteLength;
          yield chunk;
        }
      };
      void pipeline(counted(), response);
    });
    const peakBefore = await side.peakBytes();
    const memoryBefore = process.memoryUsage().rss;
    const answer = await session.request({ method: 'GET', path: '/v2/a/blobs/sha256:1' });
    const hash = createHash('sha256');
    let stalled = false;
    for await (const chunk of answer.body) {
      hash.update(chunk);
      if (stalled) continue;
      stalled = true;
      // Other requests pass meanwhile; when fifty of them saw nothing move, everything is full.
      for (let same = 0, last = -1; same < 50; same = sent === last ? same + 1 : 0, last = sent) {
        await (await session.request({ method: 'GET', path: '/v2/' })).discard();
      }
      expect(sent).toBeLessThan(maxWindowBytes + 16 * MiB);
    }
    expect(hash.digest('hex')).toBe(await sha256(patternBytes(size)));
    expect((await side.peakBytes()) - peakBefore).toBeLessThan(100 * MiB);
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(100 * MiB);
  }, 60_000);

  it('holds no more than its windows for a registry that stalls', async () => {
    const size = 128 * MiB;
    let taken = 0;
    const go = Promise.withResolvers<void>();
    const { session, side } = await connected((request, response) => {
      if (request.method === 'GET') return void response.writeHead(200).end();
      void go.promise
        .then(() => sha256(request))
        .then((digest) => response.writeHead(202).end(digest));
    });
    const counted = async function* counted(): AsyncGenerator<Buffer, void> {
      for await (const chunk of patternBytes(size)) {
        taken += chunk.byteLength;
        yield chunk;
      }
    };
    const peakBefore = await side.peakBytes();
    const answer = session.request({
      method: 'PATCH',
      path: '/v2/a/blobs/uploads/1',
      body: counted(),
    });
    for (let same = 0, last = -1; same < 50; same = taken === last ? same + 1 : 0, last = taken) {
      await (await session.request({ method: 'GET', path: '/v2/' })).discard();
    }
    expect(taken).toBeLessThan(maxWindowBytes + 16 * MiB);
    go.resolve();
    expect(await text(await answer)).toBe(await sha256(patternBytes(size)));
    expect((await side.peakBytes()) - peakBefore).toBeLessThan(100 * MiB);
  }, 60_000);

  it('loses every request under way with the process, as errors worth another try', async () => {
    const { session, side } = await connected((request, response) => {
      request.resume();
      if (request.method === 'GET')
        response.writeHead(200, { 'content-length': 2 * MiB }).write('begun');
    });
    const answer = await session.request({ method: 'GET', path: '/v2/a/blobs/sha256:1' });
    const upload = failureOf(
      session.request({ method: 'PATCH', path: '/v2/a/blobs/uploads/1', body: endless() }),
    );
    side.process.kill('SIGKILL');
    const body = await failureOf(text(answer));
    expect([body, await upload]).toEqual([
      expect.any(UnreachableError),
      expect.any(UnreachableError),
    ]);
    expect(await session.closed).toBeInstanceOf(UnreachableError);
    const later = await failureOf(session.request({ method: 'GET', path: '/v2/' }));
    expect(later).toBeInstanceOf(UnreachableError);
    expect(later).toMatchObject({
      isTransient: true,
      message: expect.stringContaining(`Lost the session with ${far}`),
    });
  });

  it('ends the process when it is closed, with status 0', async () => {
    const { session, side } = await connected((_, response) => response.writeHead(200).end());
    await session.close();
    await once(side.process, 'exit');
    expect([side.process.exitCode, side.stderr()]).toEqual([0, '']);
    expect(await session.closed).toBeUndefined();
  });

  it('ends the process when its stdin ends, without a word from the client', async () => {
    const { side } = await connected((_, response) => response.writeHead(200).end());
    side.process.stdin?.end();
    await once(side.process, 'exit');
    expect(side.process.exitCode).toBe(0);
  });
});

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

describe('a session', () => {
  it('tells the error that the far side met, in its own words and with its code', async () => {
    const { session } = await paired(async () => {
      throw new UnreachableError('Cannot reach registry.ns.svc:5000: connection refused — Ende');
    });
    for (const method of ['GET', 'HEAD'] as const) {
      const failure = await failureOf(session.request({ method, path: '/v2/' }));
      expect(failure).toBeInstanceOf(UnreachableError);
      expect(failure).toHaveProperty(
        'message',
        expect.stringContaining('registry.ns.svc:5000: connection refused — Ende'),
      );
    }
  });

  it('fails the body of an answer that the registry broke off', async () => {
    const { session } = await paired(async () => ({
      ...answered(200),
      body: (async function* body() {
        yield Buffer.from('begun');
        throw new UnreachableError('reset');
      })(),
    }));
    const answer = session.request({ method: 'GET', path: '/v2/a/blobs/sha256:1' }).then(text);
    expect(await failureOf(answer)).toBeInstanceOf(UnreachableError);
    expect((await session.request({ method: 'HEAD', path: '/v2/' })).status).toBe(200);
  });

  it('never lets a request body that was given up look like a whole one', async () => {
    const begun = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<unknown>();
    const { session } = await paired(async ({ body }) => {
      begun.resolve();
      outcome.resolve(await failureOf(sha256(body as AsyncIterable<Uint8Array>)));
      return answered(201);
    });
    const stop = new AbortController();
    const failure = failureOf(
      session.request({
        method: 'PUT',
        path: '/v2/a/blobs/uploads/1',
        body: partly(),
        signal: stop.signal,
      }),
    );
    async function* partly(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from('half');
      await begun.promise;
      stop.abort(new Error('enough'));
      await outcome.promise;
    }
    expect(await failure).toHaveProperty('message', 'enough');
    expect(await outcome.promise).toBeInstanceOf(Error);
  });

  it('throws what the request body threw', async () => {
    const { session } = await paired(async ({ body }) => {
      await sha256(body as AsyncIterable<Uint8Array>);
      return answered(201);
    });
    const failure = await failureOf(
      session.request({
        method: 'PUT',
        path: '/v2/x',
        body: (async function* body() {
          yield Buffer.from('half');
          throw new RangeError('disk');
        })(),
      }),
    );
    expect(failure).toBeInstanceOf(RangeError);
  });

  it('takes an answer that comes before the end of the request', async () => {
    const { session } = await paired(async () =>
      answered(413, { 'content-type': 'text/plain' }, 'too large'),
    );
    const answer = await session.request({
      method: 'PATCH',
      path: '/v2/a/blobs/uploads/1',
      body: endless(),
    });
    expect([answer.status, await text(answer)]).toEqual([413, 'too large']);
    expect((await session.request({ method: 'HEAD', path: '/v2/' })).status).toBe(413);
  });

  it('aborts what the gateway asks of the registry when the answer is discarded', async () => {
    const aborted = Promise.withResolvers<void>();
    const { session } = await paired(async ({ signal }) => {
      signal?.addEventListener('abort', () => aborted.resolve());
      return { ...answered(200), body: endless() };
    });
    const answer = await session.request({ method: 'GET', path: '/v2/a/blobs/sha256:1' });
    await answer.discard();
    await aborted.promise;
    expect(answer.status).toBe(200);
  });

  it('lets what is under way come to its end when it is closed', async () => {
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const { session, served } = await paired(async () => {
      asked.resolve();
      await go.promise;
      return answered(200, {}, 'in the end');
    });
    const answer = session.request({ method: 'GET', path: '/v2/x' }).then(text);
    await asked.promise;
    const closed = session.close();
    setTimeout(go.resolve, 200);
    expect(await answer).toBe('in the end');
    await Promise.all([closed, served]);
  });

  it('gives a connection up that is silent, on either side', async () => {
    const [near, other] = duplexPair();
    const deaf = startDeaf(other);
    const session = await openSession(near, { far, pingIntervalMs: 5, silenceLimitMs: 20 });
    const pending = await failureOf(session.request({ method: 'GET', path: '/v2/' }));
    expect(pending).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('no sign of life for 0.02 s'),
    });
    expect(await session.closed).toBe(pending instanceof Error ? await session.closed : undefined);
    await deaf;
    const [client, server] = duplexPair();
    client.resume();
    const served = serveSession(server, () => {}, { pingIntervalMs: 5, silenceLimitMs: 20 });
    await expect(served).rejects.toThrow(/No sign of life from the client for 0.02 s/);
  });

  it('lives as long as pings are answered', async () => {
    const [near, other] = duplexPair();
    const served = serveSession(other, (_, response) => void response.end(), {
      pingIntervalMs: 40,
      silenceLimitMs: 120,
    });
    const session = await openSession(near, { far, pingIntervalMs: 10, silenceLimitMs: 200 });
    let ended = false;
    void session.closed.then(() => (ended = true));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(ended).toBe(false);
    expect((await session.request({ method: 'GET', path: '/v2/' })).status).toBe(200);
    await session.close();
    await served;
  });
});

/** Says hello, and nothing more. */
async function startDeaf(stream: Duplex): Promise<void> {
  stream.write(`reposure-surrogate 2 ${version}\n`);
  stream.resume();
  if (!stream.closed) await once(stream, 'end').catch(() => {});
}

describe('openSession()', () => {
  it.each([
    [
      'another program',
      'hello, world\n',
      SurrogateError,
      /it says "hello, world"; want a greeting.*it says: sh: no such thing/,
    ],
    ['noise without an end', 'x'.repeat(5000), SurrogateError, /it says "x{200}"/],
    [
      'another protocol',
      'reposure-surrogate 3 9.9.9\n',
      UnsupportedError,
      /version 9.9.9 with protocol 3, and this is version .* with protocol 2.*operator install/,
    ],
    ['a busy surrogate', busyGreeting(32), UnreachableError, /busy with 32 others/],
  ])('refuses %s', async (_, first, type, message) => {
    const [near, other] = duplexPair();
    other.write(first);
    const failure = await failureOf(openSession(near, { far, says: () => 'sh: no such thing\n' }));
    expect(failure).toBeInstanceOf(type);
    expect(failure).toHaveProperty('message', expect.stringMatching(message));
    expect(near.destroyed).toBe(true);
  });

  it('quotes the stderr of a program that ends without a greeting', async () => {
    const side = startFarSide(['--eval', 'console.error("exec: not found"); process.exit(127)']);
    cleanups.push(side.end);
    const failure = await failureOf(openSession(side.stream, { far, says: side.stderr }));
    expect(failure).toHaveProperty(
      'message',
      expect.stringMatching(/ended without a greeting; it says: exec: not found/),
    );
  });

  it('does not wait for ever', async () => {
    const [near] = duplexPair();
    const failure = await failureOf(openSession(near, { far, timeoutMs: 10 }));
    expect(failure).toHaveProperty(
      'message',
      expect.stringContaining('it said nothing within 0.01 s'),
    );
  });

  it('hears a greeting that has been waiting for it while this process stood still', async () => {
    const [near, other] = duplexPair();
    const opened = openSession(near, { far, timeoutMs: 50 });
    await turn();
    void turn().then(() => serveSession(other, (_, response) => void response.end()));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // then, Node looks at its timers
    const session = await opened;
    cleanups.push(session.close);
    expect(session.farVersion).toBe(version);
  });

  it('reads a greeting that comes in pieces, and what follows it', async () => {
    const [near, other] = duplexPair();
    const [front, back] = duplexPair();
    near.once('close', () => back.destroy());
    void serveSession(back, (_, response) => void response.end());
    other.pipe(front);
    front.on('data', (chunk: Buffer) => {
      for (const byte of chunk) other.write(Buffer.of(byte));
    });
    const session = await openSession(near, { far });
    cleanups.push(session.close);
    const answer = await session.request({ method: 'GET', path: '/v2/' });
    await answer.discard();
    expect([session.farVersion, answer.status]).toEqual([version, 200]);
  });
});
