import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeOf, pushBlob, startFixture } from './test/fixture.ts';

const absent = `sha256:${'0'.repeat(64)}`;

describe('blobs', () => {
  it('come back as they were sent', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a/b', 'content');
    const response = await fixture.send('GET', `/v2/a/b/blobs/${digest}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('content');
    expect(response.headers.get('docker-content-digest')).toBe(digest);
    expect(response.headers.get('content-length')).toBe('7');
  });

  it('answer HEAD with the size and no body', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const response = await fixture.send('HEAD', `/v2/a/blobs/${digest}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('7');
    expect(await response.text()).toBe('');
  });

  it('may be empty', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', '');
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('may be named by sha512', async () => {
    await using fixture = await startFixture();
    const digest = `sha512:${createHash('sha512').update('content').digest('hex')}`;
    const path = `/v2/a/blobs/uploads/?digest=${digest}`;
    const created = await fixture.send('POST', path, { body: 'content' });
    expect(created.status).toBe(201);
    const response = await fixture.send('GET', created.headers.get('location') ?? '');
    expect(await response.text()).toBe('content');
  });

  it.each([
    ['bytes=0-2', 206, 'con', 'bytes 0-2/7'],
    ['bytes=3-', 206, 'tent', 'bytes 3-6/7'],
    ['bytes=-2', 206, 'nt', 'bytes 5-6/7'],
    ['bytes=5-99', 206, 'nt', 'bytes 5-6/7'],
    ['bytes=0-1,3-4', 200, 'content', null],
    ['lines=1-2', 200, 'content', null],
  ])('answer %s with %i', async (range, status, text, contentRange) => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`, {
      headers: { Range: range },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(await response.text()).toBe(text);
  });

  it('refuse a range behind their end', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const init = { headers: { Range: 'bytes=7-' } };
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`, init);
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */7');
  });

  it('send the whole if the range is of something else', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const headers = { Range: 'bytes=3-', 'If-Range': '"another"' };
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`, { headers });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('content');
  });

  it('are not sent again to who has them', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const headers = { 'If-None-Match': `"${digest}"` };
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`, { headers });
    expect(response.status).toBe(304);
  });

  it('are seen only by the repository that they were pushed to', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const response = await fixture.send('GET', `/v2/b/blobs/${digest}`);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('BLOB_UNKNOWN');
  });

  it('are mounted from a repository that has them', async () => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const mounted = await fixture.send('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`);
    expect(mounted.status).toBe(201);
    expect(mounted.headers.get('location')).toBe(`/v2/b/blobs/${digest}`);
    const response = await fixture.send('GET', `/v2/b/blobs/${digest}`);
    expect(await response.text()).toBe('content');
  });

  it.each([
    ['from a repository that has not got them', '&from=c'],
    ['without saying from where', ''],
  ])('are not mounted %s: an upload begins', async (_, from) => {
    await using fixture = await startFixture();
    const digest = await pushBlob(fixture, 'a', 'content');
    const path = `/v2/b/blobs/uploads/?mount=${digest}${from}`;
    const response = await fixture.send('POST', path);
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toMatch(/^\/v2\/b\/blobs\/uploads\/[0-9a-f-]{36}$/);
    expect((await fixture.send('HEAD', `/v2/b/blobs/${digest}`)).status).toBe(404);
  });

  it('are deleted from one repository, and from the disk with the last', async () => {
    await using fixture = await startFixture();
    const { send, directory } = fixture;
    const digest = await pushBlob(fixture, 'a', 'content');
    await pushBlob(fixture, 'b', 'content');
    expect((await send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202);
    expect((await send('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
    expect(await (await send('GET', `/v2/b/blobs/${digest}`)).text()).toBe('content');
    expect((await send('DELETE', `/v2/b/blobs/${digest}`)).status).toBe(202);
    expect(await readdir(join(directory, 'blobs', 'sha256'))).toEqual([]);
    expect((await send('DELETE', `/v2/b/blobs/${digest}`)).status).toBe(404);
  });

  it.each([
    ['too short', 'sha256:abc'],
    ['of an algorithm that nobody knows', `md5:${'0'.repeat(64)}`],
    ['in upper case', `sha256:${'A'.repeat(64)}`],
    ['that climbs', 'sha256:..%2f..%2f..%2fetc%2fpasswd'],
  ])('refuse a digest %s', async (_, digest) => {
    await using fixture = await startFixture();
    const response = await fixture.send('GET', `/v2/a/blobs/${digest}`);
    expect([400, 404]).toContain(response.status);
    expect(await codeOf(response)).toMatch(/^(?:DIGEST_INVALID|NAME_INVALID|UNSUPPORTED)$/);
  });

  it('are told apart from what is not there', async () => {
    await using fixture = await startFixture();
    const response = await fixture.send('GET', `/v2/a/blobs/${absent}`);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('BLOB_UNKNOWN');
  });
});
