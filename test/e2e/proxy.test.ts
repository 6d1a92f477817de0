import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { isTransient } from '@reposure/core';
import type { ByteStream } from '@reposure/core';
import { KubernetesError, resourceTypes } from '@reposure/core/kubernetes';
import { digestOf } from '@reposure/core/oci';
import { AuthenticationError, RegistryClient, RegistryError } from '@reposure/core/registry';
import { names } from '@reposure/core/resource';
import { askDiffId, newGatewayKey, openRoute, signedGateway } from '@reposure/core/surrogate';
import type { OpenRouteOptions, Route } from '@reposure/core/surrogate';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { startProxyWorld } from './proxy-world.ts';
import type { ProxyWorld } from './proxy-world.ts';

const MiB = 1 << 20;
let world: ProxyWorld;

/** The same gateway, for whoever wants to change what it answers. */
let plain: Server;

beforeAll(async () => {
  world = await startProxyWorld();
  plain = createServer(world.gateway);
  await once(plain.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  plain.close();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  world.keys.read = [newGatewayKey()];
  world.keys.write = [newGatewayKey()];
  await world.publish(world.keys);
  await world.serve(world.gateway);
});

async function opened(options: Partial<OpenRouteOptions> = {}): Promise<Route> {
  const { kubernetes, registry } = world;
  return await openRoute({ kubernetes, registry, route: 'proxy', ...options });
}

async function clientBy(options: Partial<OpenRouteOptions> = {}): Promise<RegistryClient> {
  return new RegistryClient((await opened(options)).request);
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Different bytes in every chunk, made while they are read. */
async function* bytesOf(size: number, onChunk?: (sent: number) => void): ByteStream {
  const block = randomBytes(256 * 1024);
  for (let at = 0; at < size; at += block.byteLength) {
    const chunk = Buffer.from(block.subarray(0, Math.min(block.byteLength, size - at)));
    chunk.writeUInt32LE(at >>> 8);
    onChunk?.(at);
    yield chunk;
  }
}

async function store(client: RegistryClient, bytes: Uint8Array): Promise<void> {
  const begun = await client.startUpload('team/app');
  await client.finishUpload(begun, digestOf(bytes), { body: bytes });
}

/** A listener in front of the gateway that may answer by itself. */
function inFront(
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean,
): RequestListener {
  return (request, response) => {
    if (!intercept(request, response)) world.gateway(request, response);
  };
}

describe('the proxy route', () => {
  it('moves a blob both ways, as it is, and names it', async () => {
    const client = await clientBy();
    const size = 24 * MiB + 12_345;
    const hash = createHash('sha256');
    const chunks = await Array.fromAsync(bytesOf(size));
    for (const chunk of chunks) hash.update(chunk);
    const blob = { digest: digestOf(Buffer.concat(chunks)), size };
    const begun = await client.startUpload('team/app');
    // Of unknown length the first time, as a pipe is.
    const half = chunks.slice(0, 40);
    const halfSize = half.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const middle = await client.appendUpload(begun, streamed(half), { size: halfSize });
    expect(middle.offset).toBe(halfSize);
    const rest = streamed(chunks.slice(40));
    const end = await client.appendUpload(middle, rest, { size: size - halfSize });
    await client.finishUpload(end, blob.digest);
    expect(await client.statBlob('team/app', blob.digest)).toBe(size);
    const back = createHash('sha256');
    for await (const chunk of await client.openBlob('team/app', blob)) back.update(chunk);
    expect(back.digest('hex')).toBe(hash.digest('hex'));
    const tail = await client.openBlob('team/app', blob, { offset: size - 5 });
    const last = Buffer.concat(await Array.fromAsync(tail));
    expect(last).toEqual(Buffer.concat(chunks).subarray(-5));
  });

  it('names images, lists them and deletes them', async () => {
    const client = await clientBy();
    const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [] } }));
    await store(client, config);
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const configType = 'application/vnd.oci.image.config.v1+json';
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType,
        config: { mediaType: configType, digest: digestOf(config), size: config.byteLength },
        layers: [],
      }),
    );
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    await client.putManifest('team/app', '1', { bytes, descriptor });
    expect(await client.statManifest('team/app', '1')).toEqual(descriptor);
    expect((await client.getManifest('team/app', '1')).bytes).toEqual(bytes);
    expect(await Array.fromAsync(client.listTags('team/app'))).toEqual(['1']);
    const failure = await failureOf(client.getManifest('team/app', '2'));
    expect(failure).toBeInstanceOf(RegistryError);
    expect(failure).toMatchObject({ status: 404 });
    await client.deleteManifest('team/app', descriptor.digest);
    expect(await client.statManifest('team/app', '1')).toBeUndefined();
  });

  it('sends no faster than the registry takes it', async () => {
    let wanted: IncomingMessage | undefined;
    await world.serve(
      inFront((request) => {
        if (request.method !== 'PATCH') return false;
        wanted = request;
        request.once('data', () => request.pause());
        return true;
      }),
    );
    const client = await clientBy();
    const begun = await client.startUpload('team/app');
    let sent = 0;
    const leaving = new AbortController();
    const size = 512 * MiB;
    const body = bytesOf(size, (at) => (sent = at));
    const done = failureOf(client.appendUpload(begun, body, { size, signal: leaving.signal }));
    // Until nothing moves any more: what the sockets in between hold is theirs.
    await vi.waitFor(
      async () => {
        const before = sent;
        await delay(300);
        expect([sent > 0, sent]).toEqual([true, before]);
      },
      { timeout: 20_000 },
    );
    expect(sent).toBeLessThan(64 * MiB);
    const reason = new Error('enough');
    leaving.abort(reason);
    expect(await done).toBe(reason);
    // Whoever does not read does not see the end either.
    wanted?.resume();
    await vi.waitFor(() => expect(wanted?.destroyed).toBe(true));
  });

  it('reads no faster than its reader does', async () => {
    let made = 0;
    const size = 512 * MiB;
    const isOver = Promise.withResolvers<void>();
    async function* endless(): ByteStream {
      try {
        yield* bytesOf(size, (at) => (made = at));
      } finally {
        isOver.resolve();
      }
    }
    await world.serve(
      signedGateway({
        keys: async () => world.keys,
        upstream: async () => ({
          status: 200,
          headers: { 'content-length': String(size) },
          body: endless(),
          discard: async () => {},
        }),
      }),
    );
    const client = await clientBy();
    const digest = digestOf('x');
    const blob = await client.openBlob('team/app', { digest, size }, { isVerified: false });
    const reader = blob[Symbol.asyncIterator]();
    expect((await reader.next()).done).toBe(false);
    await vi.waitFor(
      async () => {
        const before = made;
        await delay(300);
        expect(made).toBe(before);
      },
      { timeout: 20_000 },
    );
    expect(made).toBeLessThan(64 * MiB);
    await reader.return?.();
    await isOver.promise;
  });

  it('stops sending what is refused before its end', async () => {
    await world.serve(
      signedGateway({
        keys: async () => world.keys,
        upstream: async ({ method }) => ({
          status: method === 'PATCH' ? 413 : 202,
          headers: { location: '/v2/team/app/blobs/uploads/1', 'content-type': 'application/json' },
          body: (async function* refusal() {
            yield Buffer.from('{"errors":[{"code":"SIZE_INVALID","message":"too much"}]}');
          })(),
          discard: async () => {},
        }),
      }),
    );
    const client = await clientBy();
    const begun = await client.startUpload('team/app');
    let sent = 0;
    const size = 512 * MiB;
    const body = bytesOf(size, (at) => (sent = at));
    const failure = await failureOf(client.appendUpload(begun, body, { size }));
    expect(failure).toMatchObject({ status: 413, message: expect.stringContaining('too much') });
    expect(sent).toBeLessThan(size / 2);
  });

  it.each([
    ['less', 90_000],
    ['more', 110_000],
  ])('does not send %s than was announced', async (_, size) => {
    const client = await clientBy();
    const begun = await client.startUpload('team/app');
    const failure = await failureOf(client.appendUpload(begun, bytesOf(size), { size: 100_000 }));
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
    // The connection is not left with half a request on it.
    await client.ping();
  });

  it('loses no upload with the surrogate', async () => {
    const client = await clientBy();
    const bytes = Buffer.concat(await Array.fromAsync(bytesOf(8 * MiB)));
    const begun = await client.startUpload('team/app');
    const half = bytes.byteLength / 2;
    async function* cut(): ByteStream {
      yield bytes.subarray(0, half);
      await world.stop();
      yield bytes.subarray(half);
    }
    const lost = await failureOf(client.appendUpload(begun, cut(), { size: bytes.byteLength }));
    expect(isTransient(lost)).toBe(true);
    const away = await failureOf(client.ping());
    expect(away).toBeInstanceOf(KubernetesError);
    expect(away).toMatchObject({ status: 503, isTransient: true });
    expect(String(away)).toContain('`reposure registry describe default -n ci` says more');
    await world.serve(signedGateway({ keys: async () => world.keys, upstream: world.direct }));
    const upload = await client.statUpload(begun);
    const rest = streamed([bytes.subarray(upload.offset)]);
    const size = bytes.byteLength - upload.offset;
    const done = size > 0 ? await client.appendUpload(upload, rest, { size }) : upload;
    await client.finishUpload(done, digestOf(bytes));
    expect(await client.statBlob('team/app', digestOf(bytes))).toBe(bytes.byteLength);
  });
});

describe('what the proxy route trusts', () => {
  /** Lets an answer of the gateway's come, and changes it on its way. */
  const changing =
    (
      change: (answer: { status: number; headers: Record<string, string>; body: Buffer }) => void,
    ): RequestListener =>
    (request, response) => {
      void (async () => {
        const answer = await answerOf(request);
        change(answer);
        response.writeHead(answer.status, answer.headers).end(answer.body);
      })();
    };

  it.each<[string, Parameters<typeof changing>[0], RegExp]>([
    ['without a signature', ({ headers }) => delete headers['signature'], /makes no sense/],
    [
      'without any sign of one',
      ({ headers }) => {
        delete headers['signature'];
        delete headers['signature-input'];
      },
      /it is not signed/,
    ],
    ['of another status', (answer) => (answer.status = 201), /does not fit/],
    ['of another header', ({ headers }) => (headers['content-type'] = 'a/b'), /does not fit/],
    ['of another body', ({ body }) => body.fill('x'), /its body is another one/],
    [
      'of a digest that was taken away',
      ({ headers }) => delete headers['content-digest'],
      /makes no sense/,
    ],
  ])('is no answer %s', async (_, change, reason) => {
    await world.serve(changing(change));
    const client = await clientBy();
    const failure = await failureOf(Array.fromAsync(client.listRepositories()));
    expect(failure).toMatchObject({ code: 'PROTOCOL', message: expect.stringMatching(reason) });
    expect(String(failure)).toContain(
      'nothing but its Pod behind Service "reposure-surrogate-default"',
    );
    expect(isTransient(failure)).toBe(false);
  });

  it('is no header that is not covered', async () => {
    await world.serve(changing(({ headers }) => (headers['docker-content-digest'] = 'sha256:1')));
    const { request } = await opened();
    const answer = await request({ method: 'GET', path: '/v2/' });
    await answer.discard();
    expect(answer.headers).not.toHaveProperty('docker-content-digest');
  });

  it('is no answer to another request', async () => {
    let kept: Awaited<ReturnType<typeof answerOf>> | undefined;
    await world.serve((request, response) => {
      void (async () => {
        const answer = await answerOf(request);
        const { status, headers, body } = (kept ??= answer);
        response.writeHead(status, headers).end(body);
      })();
    });
    const client = await clientBy();
    await client.ping();
    expect(await failureOf(client.ping())).toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringContaining('it is the answer to another request'),
    });
  });

  it('is no program without the key', async () => {
    const others = { read: [newGatewayKey()], write: [newGatewayKey()] };
    await world.serve(signedGateway({ keys: async () => others, upstream: world.direct }));
    const failure = await failureOf((await clientBy()).ping());
    expect(failure).toMatchObject({ code: 'UNREACHABLE', isTransient: true });
    expect(String(failure)).toContain(
      'does not know the key in Secret "reposure-surrogate-default-write-key"',
    );
  });

  it('is the key that came with a rotation, and the one before it', async () => {
    const client = await clientBy();
    await client.ping();
    const [old = ''] = world.keys.write;
    const key = newGatewayKey();
    // The Pod sees it later than the client.
    await world.publish({ write: [key, old] });
    const late = await clientBy();
    await late.ping();
    world.keys.write = [key, old];
    await Promise.all([client.ping(), late.ping()]);
    // And once more: the first client's key is nobody's now.
    const newest = newGatewayKey();
    world.keys.write = [newest, key];
    await world.publish({ write: [newest, key] });
    await Promise.all([client.ping(), late.ping()]);
    const begun = await client.startUpload('team/app');
    world.keys.write = [newGatewayKey()];
    await world.publish(world.keys);
    // What is being sent cannot be sent again by itself; the next try knows better.
    const failure = await failureOf(client.appendUpload(begun, bytesOf(MiB), { size: MiB }));
    expect(isTransient(failure)).toBe(true);
    expect((await client.appendUpload(begun, bytesOf(MiB), { size: MiB })).offset).toBe(MiB);
  });

  it.each([-1, 1])('is its clock, %d hours away', async (hours) => {
    let requests = 0;
    // It has been there for a minute: one that has just started refuses at first.
    const now = (): number => Date.now() + hours * 3_600_000 - (requests === 0 ? 60_000 : 0);
    const gateway = signedGateway({ keys: async () => world.keys, upstream: world.direct, now });
    await world.serve((request, response) => {
      requests++;
      gateway(request, response);
    });
    const client = await clientBy();
    await client.ping();
    await client.ping();
    expect(requests).toBe(3);
  });

  it('sends a request anew that somebody else has sent twice', async () => {
    let isFirst = true;
    await world.serve((request, response) => {
      void (async () => {
        if (isFirst) await answerOf(request);
        isFirst = false;
        world.gateway(request, response);
      })();
    });
    await (await clientBy()).ping();
    expect(isFirst).toBe(false);
  });

  /** What the gateway answers to this very request. */
  async function answerOf(
    request: IncomingMessage,
  ): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
    const { method, url: path, headers } = request;
    const { port } = plain.address() as AddressInfo;
    const asked = httpRequest(`http://127.0.0.1:${port}${path}`, { method, headers, agent: false });
    request.pipe(asked);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const body = Buffer.concat((await response.toArray()) as Buffer[]);
    const { connection: _, date: __, ...kept } = response.headers;
    return {
      status: response.statusCode ?? 0,
      headers: kept as Record<string, string>,
      body,
    };
  }
});

describe('who may use the proxy route', () => {
  const service = (...verbs: string[]): object => ({
    apiGroups: [''],
    resources: ['services/proxy'],
    resourceNames: ['https:reposure-surrogate-default:gateway'],
    verbs,
  });
  const secret = (name: string): object => ({
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: [name],
    verbs: ['get'],
  });
  const readKey = secret(names.readKey('default'));
  const writeKey = secret(names.writeKey('default'));
  const pushVerbs = ['get', 'create', 'update', 'patch', 'delete'];

  it('is who has the key for reading, for reading', async () => {
    const kubernetes = await world.as([readKey, service(...pushVerbs)]);
    const client = await clientBy({ kubernetes, access: 'read' });
    await client.ping();
    expect(await client.statBlob('team/app', digestOf('x'))).toBeUndefined();
    expect(await failureOf(client.startUpload('team/app'))).toBeInstanceOf(AuthenticationError);
    const failure = await failureOf(clientBy({ kubernetes }));
    expect(String(failure)).toContain(
      'Secret "reposure-surrogate-default-write-key" is forbidden; want the Role that `reposure registry role default -n ci` prints',
    );
  });

  it('is who has the key for writing, also for reading', async () => {
    const kubernetes = await world.as([writeKey, service(...pushVerbs)]);
    const bytes = randomBytes(100);
    await store(await clientBy({ kubernetes }), bytes);
    const reader = await clientBy({ kubernetes, access: 'read' });
    expect(await reader.statBlob('team/app', digestOf(bytes))).toBe(100);
  });

  it('is nobody without a right to the Service', async () => {
    const kubernetes = await world.as([readKey, writeKey, service('get')]);
    const client = await clientBy({ kubernetes });
    await client.ping();
    const failure = await failureOf(client.startUpload('team/app'));
    expect(failure).toBeInstanceOf(KubernetesError);
    expect(failure).toMatchObject({ status: 403, isTransient: false });
    expect(String(failure)).toContain(
      'want the Role that `reposure registry role default -n ci` prints',
    );
  });

  it('is nobody whose login the cluster does not know', async () => {
    const kubernetes = await world.as([readKey, service('get')], 'leaver');
    const client = await clientBy({ kubernetes, access: 'read' });
    await client.ping();
    await world.kubernetes.delete(resourceTypes.ServiceAccount, 'leaver', 'ci');
    expect(await failureOf(client.ping())).toMatchObject({ status: 401 });
  });

  it.each<[string, () => Promise<object[]>, string, string]>([
    [
      'who may use it',
      async () => [writeKey, service('get')],
      'proxy',
      "not inside a cluster; the API server's proxy answers",
    ],
    [
      'who has no key',
      async () => [service('get')],
      'exec',
      'not inside a cluster; no key for the API server\'s proxy: Secret "reposure-surrogate-default-write-key" is forbidden',
    ],
    [
      'who has no right to the Service',
      async () => [writeKey],
      'exec',
      "not inside a cluster; the API server's proxy says 403 (Forbidden)",
    ],
    [
      'whom nobody answers',
      async () => {
        await world.stop();
        return [writeKey, service('get')];
      },
      'exec',
      "not inside a cluster; the API server's proxy says 503 (ServiceUnavailable)",
    ],
    [
      'who is kept waiting',
      async () => {
        await world.serve(() => {});
        return [writeKey, service('get')];
      },
      'exec',
      "not inside a cluster; the API server's proxy does not answer within 2 s",
    ],
  ])('is by default %s', async (_, rules, via, reason) => {
    const kubernetes = await world.as(await rules());
    const route = await opened({ kubernetes, route: 'auto' });
    expect([route.via, route.reason]).toEqual([via, reason]);
  });
});

describe('askDiffId() through the proxy', () => {
  it('has a layer unpacked where it is, once, and believes no config', async () => {
    const asked: string[] = [];
    await world.serve(
      signedGateway({
        keys: async () => world.keys,
        upstream: (request) => {
          asked.push(`${request.method} ${request.path.replace(/sha256:.*/, '…')}`);
          return world.direct(request);
        },
      }),
    );
    const { request } = await opened();
    const tar = randomBytes(300_000);
    const layer = gzipSync(tar);
    await store(new RegistryClient(request), layer);
    asked.length = 0;
    const expected = { diffId: digestOf(tar), size: tar.byteLength, compression: 'gzip' };
    const digest = digestOf(layer);
    expect(await askDiffId(request, 'team/app', { digest })).toEqual(expected);
    expect(await askDiffId(request, 'team/app', { digest })).toEqual(expected);
    const head = 'HEAD /v2/team/app/blobs/…';
    expect(asked).toEqual([head, 'GET /v2/team/app/blobs/…', head]);
    expect(await askDiffId(request, 'team/other', { digest })).toBeUndefined();
  });

  it('says nothing of what cannot be unpacked, or by a registry itself', async () => {
    const { request } = await opened();
    const layer = gzipSync(randomBytes(1000)).subarray(0, 500);
    await store(new RegistryClient(request), layer);
    const digest = digestOf(layer);
    expect(await askDiffId(request, 'team/app', { digest })).toBeUndefined();
    expect(await askDiffId(world.direct, 'team/app', { digest })).toBeUndefined();
  });
});

async function* streamed(chunks: readonly Uint8Array[]): ByteStream {
  yield* chunks;
}
