import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { streamOf, UnreachableError } from '@reposure/core';
import type { ByteStream, ProgressEvent } from '@reposure/core';
import { openSink, openSource } from '@reposure/core/content';
import { directTransport, RegistryClient } from '@reposure/core/registry';
import type { RegistryRequest, Transport } from '@reposure/core/registry';
import type { Route } from '@reposure/core/surrogate';
import {
  deleteImage,
  listImages,
  parseDestination,
  parseImageName,
  pull,
  push,
} from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeRandomImage } from './support/random-image.ts';

let directory: string;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let transport: ReturnType<typeof directTransport>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'transfer-'));
  registry = await startRegistry({ directory: join(directory, 'registry') });
  transport = directTransport({ host: registry.host, insecure: true });
  await writeFile(join(directory, 'random.bin'), randomBytes(2 * 1024 * 1024));
  await writeFile(join(directory, 'other.bin'), randomBytes(2 * 1024 * 1024));
});

afterAll(async () => {
  await transport.close();
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

const routeBy = (request: Transport): Route => ({
  via: 'direct',
  reason: 'the test says so',
  request,
  close: async () => {},
});
const direct = (): Route => routeBy((request) => transport(request));

/** Loses the connection of an upload after so many bytes, as often as told. */
function flaky(afterBytes: number, times: number): { transport: Transport; cuts: () => number } {
  let cuts = 0;
  async function* cut(body: ByteStream): AsyncGenerator<Uint8Array, void> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > afterBytes && cuts < times) {
        cuts++;
        throw new UnreachableError('the cable was pulled');
      }
      yield chunk;
    }
  }
  const request: Transport = (asked: RegistryRequest) => {
    const { body } = asked;
    if (body === undefined || body instanceof Uint8Array) return transport(asked);
    return transport({ ...asked, body: cut(body) });
  };
  return { transport: request, cuts: () => cuts };
}

describe('push()', () => {
  it('sends what is missing once, and answers with the digest that the registry has', async () => {
    const source = await openSource(join(directory, 'random.bin'));
    const first = await push(direct(), source, parseDestination('team/once:1'), {
      pushHost: 'a:1',
    });
    const second = await push(direct(), source, parseDestination('team/once:2'));
    await source.close();
    const client = new RegistryClient(direct().request);
    expect((await client.statManifest('team/once', '1'))?.digest).toBe(first.digest);
    expect(second.digest).toBe(first.digest);
    expect(first.blobs).toEqual({ transferred: 2, mounted: 0, reused: 0 });
    expect(second.blobs).toEqual({ transferred: 0, mounted: 0, reused: 2 });
    expect(second.bytes.transferred).toBeLessThan(4096);
    expect(first.pushRefs).toEqual(['a:1/team/once:1']);
    expect(first.pullRefs).toEqual([]);
  });

  it('goes on where the registry stands when the connection is lost, and never reports backwards', async () => {
    const source = await openSource(join(directory, 'other.bin'));
    const wire = flaky(700_000, 2);
    const seen: number[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.type === 'advanced' && event.descriptor.size > 100_000) seen.push(event.bytes);
    };
    const result = await push(routeBy(wire.transport), source, parseDestination('team/flaky:1'), {
      onProgress,
    });
    await source.close();
    expect(wire.cuts()).toBe(2);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    // Less than three times the blob: it did not begin anew each time.
    expect(result.bytes.transferred).toBeLessThan(2 * result.bytes.total);
    const sink = await openSink(`oci:${join(directory, 'flaky')}`);
    expect((await pull(direct(), parseImageName('team/flaky:1'), sink)).digest).toBe(result.digest);
  });

  it('sends again what the registry has lost before it was named, and no more than once', async () => {
    const image = join(directory, 'lost');
    await writeRandomImage(image, { layers: 2, layerBytes: 100_000 });
    const source = await openSource(`oci:${image}`);
    await using stack = new AsyncDisposableStack();
    let [way, losses] = [transport, 0];
    const losing =
      (times: number): Transport =>
      async (asked) => {
        if (asked.method === 'PUT' && asked.path.includes('/manifests/') && losses < times) {
          // Another Pod in its place, without what the first one held.
          const folder = join(directory, `replaced-${times}-${++losses}`);
          const replaced = await startRegistry({ directory: folder });
          stack.defer(() => replaced.close());
          const next = directTransport({ host: replaced.host, insecure: true });
          stack.defer(() => next.close());
          way = next;
        }
        return await way(asked);
      };
    const retries: string[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.type === 'retrying') retries.push(event.reason);
    };
    const name = parseDestination('team/lost:1');
    const { bytes, digest } = await push(routeBy(losing(1)), source, name, { onProgress });
    expect(bytes.transferred).toBeGreaterThan(400_000);
    // What was there already, when it was lost, is in the end what was sent.
    [way, losses] = [transport, 0];
    await push(routeBy(way), source, parseDestination('team/kept:1'));
    const again = await push(routeBy(losing(1)), source, parseDestination('team/kept:2'));
    expect(again).toMatchObject({ blobs: { transferred: 3, reused: 0 }, bytes: { reused: 0 } });
    expect(new Set(again.plan?.map(({ from }) => from))).toEqual(new Set(['send']));
    expect(retries).toEqual([expect.stringContaining('MANIFEST_BLOB_UNKNOWN')]);
    const sink = await openSink(`oci:${join(directory, 'found-again')}`);
    expect(
      (
        await pull(
          routeBy((asked) => way(asked)),
          parseImageName('team/lost:1'),
          sink,
        )
      ).digest,
    ).toBe(digest);

    [way, losses] = [transport, 0];
    const pushed = push(routeBy(losing(3)), source, parseDestination('team/lost:2'));
    await expect(pushed).rejects.toThrow(/MANIFEST_BLOB_UNKNOWN/);
    await source.close();
  });

  it('does not send a blob again when only the answer to its last request was lost', async () => {
    await writeFile(join(directory, 'third.bin'), randomBytes(1024 * 1024));
    const source = await openSource(join(directory, 'third.bin'));
    let lost = 0;
    const request: Transport = async (asked) => {
      const response = await transport(asked);
      if (asked.method === 'PUT' && asked.path.includes('/blobs/uploads/') && lost === 0) {
        lost++;
        await response.discard();
        throw new UnreachableError('the answer was lost');
      }
      return response;
    };
    const result = await push(routeBy(request), source, parseDestination('team/answer:1'));
    await source.close();
    expect(lost).toBe(1);
    expect(result.bytes.transferred).toBe(result.bytes.total);
  });

  it.each([
    ['was forgotten', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['stands elsewhere than it said', 416, 'BLOB_UPLOAD_INVALID'],
  ])('goes on with an upload that %s', async (_, status, code) => {
    await writeFile(join(directory, 'again.bin'), randomBytes(512 * 1024));
    const source = await openSource(join(directory, 'again.bin'));
    let refusals = 0;
    const request: Transport = async (asked) => {
      if (asked.method !== 'PATCH' || refusals > 0) return transport(asked);
      refusals++;
      const body = Buffer.from(JSON.stringify({ errors: [{ code, message: 'no' }] }));
      return { status, headers: {}, body: streamOf(body), discard: async () => {} };
    };
    const destination = parseDestination(`team/upload-${status}:1`);
    const result = await push(routeBy(request), source, destination);
    await source.close();
    expect(refusals).toBe(1);
    expect(result.bytes.transferred).toBe(result.bytes.total);
  });

  it('asks again only what had no answer, and says once that the way is not open', async () => {
    await writeRandomImage(join(directory, 'asked'), { layers: 6, layerBytes: 100_000 });
    const source = await openSource(`oci:${join(directory, 'asked')}`);
    const answered: string[] = [];
    let asked = 0;
    let refusals = 0;
    const request: Transport = async (wanted) => {
      const line = `${wanted.method} ${wanted.path}`;
      if (++asked > 3 && refusals < 5) {
        refusals++;
        throw new UnreachableError('the cable was pulled');
      }
      const response = await transport(wanted);
      answered.push(line);
      return response;
    };
    const retrying: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.type === 'retrying') retrying.push(event);
    };
    const destination = parseDestination('team/asked:1');
    const dryRun = true;
    const result = await push(routeBy(request), source, destination, { onProgress, dryRun });
    await source.close();
    expect(refusals).toBe(5);
    expect(new Set(answered).size).toBe(8);
    expect(answered).toHaveLength(8);
    expect(retrying).toEqual([expect.objectContaining({ what: 'the registry' })]);
    expect(result.retries).toBe(1);
  });

  it('tells on a dry run what the push then does', async () => {
    await writeRandomImage(join(directory, 'told'), { layers: 2, layerBytes: 100_000 });
    const source = await openSource(`oci:${join(directory, 'told')}`);
    const destination = parseDestination('team/told:1', ['2']);
    const planned = await push(direct(), source, destination, { dryRun: true });
    const done = await push(direct(), source, destination);
    await source.close();
    expect(planned.plan).toEqual(done.plan);
    expect(planned.blobs).toEqual(done.blobs);
    expect(planned.bytes).toMatchObject({
      transferred: done.bytes.transferred,
      reused: done.bytes.reused,
    });
    // The config is read to learn the platform, too.
    expect(done.bytes.read).toBeGreaterThan(done.bytes.total);
    expect(planned.bytes.read).toBeLessThan(10_000);
    expect(done.bytesPerSecond).toBeGreaterThan(0);
  });

  it('does not take a blob of another size for the one that is meant', async () => {
    const source = await openSource(join(directory, 'random.bin'));
    const request: Transport = async (asked) => {
      const response = await transport(asked);
      if (asked.method !== 'HEAD' || !asked.path.includes('/blobs/')) return response;
      const headers = { ...response.headers, 'content-length': '5' };
      return { ...response, status: 200, headers };
    };
    const failure = await push(routeBy(request), source, parseDestination('team/size:1')).catch(
      (error: unknown) => error,
    );
    await source.close();
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
  });

  it('fails after its retries, and leaves no tag behind', async () => {
    const source = await openSource(join(directory, 'other.bin'));
    const wire = flaky(1000, 100);
    const failure = await push(routeBy(wire.transport), source, parseDestination('team/lost:1'), {
      retries: 1,
    }).catch((error: unknown) => error);
    await source.close();
    expect(failure).toBeInstanceOf(UnreachableError);
    const client = new RegistryClient(direct().request);
    expect(await client.statManifest('team/lost', '1')).toBeUndefined();
  });

  it('sends nothing on a dry run', async () => {
    const source = await openSource(join(directory, 'random.bin'));
    const result = await push(direct(), source, parseDestination('team/dry:1'), { dryRun: true });
    await source.close();
    expect(result.dryRun).toBe(true);
    expect(result.blobs.transferred).toBe(2);
    expect(
      await new RegistryClient(direct().request).statManifest('team/dry', '1'),
    ).toBeUndefined();
  });
});

describe('pull()', () => {
  it('goes on with a range when the connection is lost', async () => {
    const source = await openSource(join(directory, 'random.bin'));
    const pushed = await push(direct(), source, parseDestination('team/range:1'));
    await source.close();
    let cuts = 0;
    const ranges: string[] = [];
    const request: Transport = async (asked) => {
      const { range } = asked.headers ?? {};
      if (range) ranges.push(range);
      const response = await transport(asked);
      async function* cutOnce(): AsyncGenerator<Uint8Array, void> {
        let bytes = 0;
        for await (const chunk of response.body) {
          bytes += chunk.byteLength;
          if (bytes > 500_000 && cuts === 0) {
            cuts++;
            throw new UnreachableError('the cable was pulled');
          }
          yield chunk;
        }
      }
      return { ...response, body: cutOnce() };
    };
    const sink = await openSink(`oci:${join(directory, 'range')}`);
    const result = await pull(routeBy(request), parseImageName('team/range:1'), sink);
    expect(cuts).toBe(1);
    expect(ranges).toHaveLength(1);
    expect(result.digest).toBe(pushed.digest);
    expect(result.bytes.transferred).toBeLessThan(1.1 * result.bytes.total);
  });

  it('refuses a platform that the one image is not for, and takes it where any will do', async () => {
    const target = parseImageName('team/range:1');
    const elsewhere = { os: 'windows', architecture: 'arm64' };
    const refused = await openSink(`oci:${join(directory, 'refused')}`);
    const failure = await pull(direct(), target, refused, { platform: elsewhere }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('windows/arm64'),
    });
    const sink = await openSink(`oci:${join(directory, 'taken')}`);
    await pull(direct(), target, sink, { onePlatform: elsewhere });
  });

  it('ends the other blobs when one fails for good', async () => {
    let open = 0;
    const request: Transport = async (asked) => {
      if (!asked.path.includes('/blobs/')) return transport(asked);
      const response = await transport(asked);
      if (Number(response.headers['content-length']) < 1000) return response;
      open++;
      if (open === 1) {
        await response.discard();
        return { status: 403, headers: {}, body: streamOf(), discard: async () => {} };
      }
      async function* stalled(): AsyncGenerator<Uint8Array, void> {
        await new Promise((_, reject) => {
          asked.signal?.addEventListener('abort', () => reject(asked.signal?.reason as Error));
        });
        yield Buffer.alloc(0);
      }
      return { ...response, body: stalled() };
    };
    await writeRandomImage(join(directory, 'two'), { layers: 2, layerBytes: 1024 * 1024 });
    const source = await openSource(`oci:${join(directory, 'two')}`);
    await push(direct(), source, parseDestination('team/two:1'));
    await source.close();
    const sink = await openSink(`oci:${join(directory, 'two-pulled')}`);
    const failure = await pull(routeBy(request), parseImageName('team/two:1'), sink).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'AUTHENTICATION' });
  });

  it('leaves nothing at its place when the registry sends another content', async () => {
    const request: Transport = async (asked) => {
      const response = await transport(asked);
      async function* altered(): AsyncGenerator<Uint8Array, void> {
        for await (const chunk of response.body) yield Buffer.from(chunk).fill(0, 0, 1);
      }
      return asked.path.includes('/blobs/') ? { ...response, body: altered() } : response;
    };
    const sink = await openSink(`oci-archive:${join(directory, 'altered.tar')}`);
    const failure = await pull(routeBy(request), parseImageName('team/once:1'), sink).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
    await expect(rm(join(directory, 'altered.tar'))).rejects.toThrow(/ENOENT/);
  });
});

describe('listImages() and deleteImage()', () => {
  it('delete the tag that is named and only it', async () => {
    const source = await openSource(join(directory, 'random.bin'));
    await push(direct(), source, parseDestination('team/tags:1.2.3', ['1.2']));
    await source.close();
    await deleteImage(direct(), parseImageName('team/tags:1.2.3'));
    const left = await listImages(direct(), { repository: 'team/tags' });
    expect(left.map(({ tag }) => tag)).toEqual(['1.2']);
  });

  it('say that there is nothing to delete', async () => {
    const failure = await deleteImage(direct(), parseImageName('team/tags:9')).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'NOT_FOUND' });
  });
});
