import { createHash } from 'node:crypto';
import { readdir, stat, utimes } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { digestOf } from '@reposure/core/oci';
import { describe, expect, it } from 'vitest';

import { codeOf, pushBlob, startFixture } from './test/fixture.ts';
import type { Fixture } from './test/fixture.ts';

async function begin({ send }: Fixture, repository = 'a'): Promise<string> {
  const response = await send('POST', `/v2/${repository}/blobs/uploads/`);
  expect(response.status).toBe(202);
  return response.headers.get('location') ?? '';
}

async function patch({ send }: Fixture, path: string, body: string, range?: string) {
  return send('PATCH', path, { body, headers: range ? { 'Content-Range': range } : {} });
}

async function rangeOf({ send }: Fixture, path: string): Promise<string | null> {
  return (await send('GET', path)).headers.get('range');
}

const large = Buffer.alloc(2_000_000, 'some content that is not all the same; ');
const largeDigest = digestOf(large);

/** Sends the beginning of `large`, and holds the connection when some of it is on the disk. */
async function hold(fixture: Fixture, path: string) {
  const { port } = fixture.registry;
  const sent = request({ port, host: '127.0.0.1', path, method: 'PATCH', agent: false });
  sent.on('error', () => {});
  sent.write(large.subarray(0, 1_500_000));
  const data = join(fixture.directory, 'uploads', path.split('/').at(-1) ?? '', 'data');
  await expect.poll(async () => (await stat(data)).size).toBeGreaterThan(0);
  return sent;
}

/** Sends what the registry has not got yet, by what it says itself. @returns the last status. */
async function goOn(fixture: Fixture, path: string): Promise<number> {
  const [, last] = (await rangeOf(fixture, path))?.split('-') ?? [];
  const from = Number(last) + 1;
  expect(from).toBeGreaterThan(1);
  const headers = { 'Content-Range': `${from}-${large.length - 1}` };
  const rest = await fixture.send('PATCH', path, { body: large.subarray(from), headers });
  expect(rest.status).toBe(202);
  return (await fixture.send('PUT', `${path}?digest=${largeDigest}`)).status;
}

async function pathsIn(fixture: Fixture, folder: string): Promise<string[]> {
  return readdir(join(fixture.directory, folder)).catch(() => []);
}

describe('an upload', () => {
  it('takes chunks in order, and becomes a blob at its end', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const first = await patch(fixture, path, 'hello ', '0-5');
    expect(first.status).toBe(202);
    expect(first.headers.get('range')).toBe('0-5');
    expect((await patch(fixture, path, 'wor', '6-8')).headers.get('range')).toBe('0-8');
    const digest = digestOf('hello world');
    expect((await fixture.send('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
    const last = await fixture.send('PUT', `${path}?digest=${digest}`, { body: 'ld' });
    expect(last.status).toBe(201);
    expect(last.headers.get('location')).toBe(`/v2/a/blobs/${digest}`);
    const blob = await fixture.send('GET', `/v2/a/blobs/${digest}`);
    expect(await blob.text()).toBe('hello world');
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
  });

  it('takes a stream of unknown length', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const body = new Blob(['hello ', 'world']).stream();
    const init = { body, duplex: 'half' } as RequestInit;
    expect((await fixture.send('PATCH', path, init)).headers.get('range')).toBe('0-10');
  });

  it.each([
    ['a gap', '6-8'],
    ['a chunk that is there already', '0-2'],
  ])('refuses %s, and says where it stands', async (_, range) => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    await patch(fixture, path, 'hello', '0-4');
    const response = await patch(fixture, path, 'wor', range);
    expect(response.status).toBe(416);
    expect(response.headers.get('range')).toBe('0-4');
    expect(await rangeOf(fixture, path)).toBe('0-4');
  });

  it.each([
    ['is not one', 'from 1 to 2', 'BLOB_UPLOAD_INVALID'],
    ['is of another length', '0-9', 'SIZE_INVALID'],
  ])('refuses a Content-Range that %s', async (_, range, code) => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const response = await patch(fixture, path, 'hello', range);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe(code);
  });

  it('counts what arrived before the connection broke, and goes on from there', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const broken = await hold(fixture, path);
    broken.destroy();
    expect(await goOn(fixture, path)).toBe(201);
  });

  it('belongs to the newest request: one that hangs is cut', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const hanging = await hold(fixture, path);
    const closed = new Promise<void>((resolve) => void hanging.on('close', () => resolve()));
    expect(await goOn(fixture, path)).toBe(201);
    await closed;
  });

  it('leaves nothing of a whole blob whose connection broke', async () => {
    await using fixture = await startFixture();
    const path = `/v2/a/blobs/uploads/?digest=${largeDigest}`;
    const { port } = fixture.registry;
    const headers = { 'Content-Length': large.length };
    const options = { port, host: '127.0.0.1', path, method: 'POST', agent: false, headers };
    const sent = request(options);
    sent.on('error', () => {});
    sent.write(large.subarray(0, 1_500_000));
    await expect.poll(() => pathsIn(fixture, 'uploads')).toHaveLength(1);
    sent.destroy();
    await expect.poll(() => pathsIn(fixture, 'uploads')).toEqual([]);
    expect((await fixture.send('HEAD', `/v2/a/blobs/${largeDigest}`)).status).toBe(404);
  });

  it('is hashed again from the disk after a restart', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    await patch(fixture, path, 'hello ');
    await fixture.restart();
    expect(await rangeOf(fixture, path)).toBe('0-5');
    const digest = digestOf('hello world');
    const response = await fixture.send('PUT', `${path}?digest=${digest}`, { body: 'world' });
    expect(response.status).toBe(201);
    const blob = await fixture.send('GET', `/v2/a/blobs/${digest}`);
    expect(await blob.text()).toBe('hello world');
  });

  it('may end with a sha512 digest', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    await patch(fixture, path, 'hello');
    const digest = `sha512:${createHash('sha512').update('hello').digest('hex')}`;
    expect((await fixture.send('PUT', `${path}?digest=${digest}`)).status).toBe(201);
  });

  it.each([
    ['in one request', 'hello', ''],
    ['in chunks', '', 'hello'],
  ])('leaves nothing if its digest is another, %s', async (_, body, chunk) => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    if (chunk) await patch(fixture, path, chunk);
    const digest = digestOf('something else');
    const response = await fixture.send('PUT', `${path}?digest=${digest}`, { body });
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('DIGEST_INVALID');
    expect((await fixture.send('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
    expect(await pathsIn(fixture, 'blobs')).toEqual([]);
  });

  it('leaves nothing if a whole blob in a POST has another digest', async () => {
    await using fixture = await startFixture();
    const path = `/v2/a/blobs/uploads/?digest=${digestOf('something else')}`;
    expect((await fixture.send('POST', path, { body: 'hello' })).status).toBe(400);
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
    expect(await pathsIn(fixture, 'blobs')).toEqual([]);
  });

  it('wants a digest at its end', async () => {
    await using fixture = await startFixture();
    const response = await fixture.send('PUT', await begin(fixture), { body: 'hello' });
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('DIGEST_INVALID');
  });

  it('is forgotten when it is deleted', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    expect((await fixture.send('DELETE', path)).status).toBe(204);
    const response = await fixture.send('GET', path);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('BLOB_UPLOAD_UNKNOWN');
    expect((await fixture.send('DELETE', path)).status).toBe(404);
  });

  it('is found only through the repository that it is for', async () => {
    await using fixture = await startFixture();
    const path = await begin(fixture);
    const response = await patch(fixture, path.replace('/v2/a/', '/v2/b/'), 'hello');
    expect(response.status).toBe(404);
  });

  it('cannot have an id that is a path', async () => {
    await using fixture = await startFixture();
    await pushBlob(fixture, 'a', 'content');
    const response = await fixture.send('DELETE', '/v2/a/blobs/uploads/..%2Fblobs');
    expect([400, 404]).toContain(response.status);
    expect(await pathsIn(fixture, 'blobs')).toEqual(['sha256']);
  });

  it('is removed at a start when nobody has touched it for a week', async () => {
    await using fixture = await startFixture();
    const old = await begin(fixture);
    const young = await begin(fixture);
    const data = join(fixture.directory, 'uploads', old.split('/').at(-1) ?? '', 'data');
    const eightDaysAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(data, eightDaysAgo, eightDaysAgo);
    await fixture.restart();
    expect((await fixture.send('GET', old)).status).toBe(404);
    expect((await fixture.send('GET', young)).status).toBe(204);
  });

  it('goes on beside others of the same content', async () => {
    await using fixture = await startFixture();
    const digests = await Promise.all(
      ['a', 'b', 'c', 'a'].map((repository) => pushBlob(fixture, repository, large)),
    );
    const blob = await fixture.send('GET', `/v2/c/blobs/${digests[0]}`);
    expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(digests[0]);
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
  });
});

describe('a full disk', () => {
  it('refuses a blob, says why, and shows nothing of it', async () => {
    await using fixture = await startFixture({ maxBytes: 1_000_000 });
    const path = `/v2/a/blobs/uploads/?digest=${largeDigest}`;
    const response = await fixture.send('POST', path, { body: large });
    expect(response.status).toBe(507);
    expect(await response.text()).toContain('no space left');
    expect((await fixture.send('HEAD', `/v2/a/blobs/${largeDigest}`)).status).toBe(404);
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
  });

  it('forgets the upload that did not fit, so that a smaller one does', async () => {
    await using fixture = await startFixture({ maxBytes: 1_000_000 });
    const path = await begin(fixture);
    await patch(fixture, path, 'hello');
    expect((await fixture.send('PATCH', path, { body: large })).status).toBe(507);
    expect((await fixture.send('GET', path)).status).toBe(404);
    expect(await pathsIn(fixture, 'uploads')).toEqual([]);
    await pushBlob(fixture, 'a', Buffer.alloc(900_000));
  });

  it('has room again for what was deleted, also after a restart', async () => {
    await using fixture = await startFixture({ maxBytes: 2_500_000 });
    await pushBlob(fixture, 'a', large);
    await fixture.restart();
    await expect(pushBlob(fixture, 'a', Buffer.alloc(2_000_000))).rejects.toThrow('507');
    expect((await fixture.send('DELETE', `/v2/a/blobs/${largeDigest}`)).status).toBe(202);
    await pushBlob(fixture, 'a', Buffer.alloc(2_000_000));
  });

  it('is not filled by the same content twice', async () => {
    await using fixture = await startFixture({ maxBytes: 4_500_000 });
    for (let time = 0; time < 4; time++) await pushBlob(fixture, `a${time}`, large);
    expect((await fixture.send('HEAD', `/v2/a3/blobs/${largeDigest}`)).status).toBe(200);
  });
});
