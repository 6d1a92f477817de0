import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { send as sendRequest, startTestCluster } from './test/cluster.ts';
import type { TestAnswer, TestCluster, TestRequest } from './test/cluster.ts';

function linesOf({ text }: TestAnswer): { type: string; object: object }[] {
  const lines = text.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { type: string; object: object });
}

describe('the API', () => {
  let cluster: TestCluster;
  const backend = createServer((request, response) => {
    response.setHeader('Location', '/v2/elsewhere');
    response.end(
      JSON.stringify({ url: request.url, method: request.method, headers: request.headers }),
    );
  });

  beforeAll(async () => {
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    cluster = await startTestCluster({
      proxy: ({ name }) => Promise.resolve({ host: '127.0.0.1', port: name === 'up' ? port : 1 }),
    });
  });
  afterAll(async () => {
    await cluster.close();
    backend.close();
  });

  function call(path: string, init: TestRequest = {}, token?: string): Promise<TestAnswer> {
    return sendRequest(cluster, path, { token: token ?? cluster.tokens.adminToken, ...init });
  }

  function send(
    method: string,
    path: string,
    body: unknown,
    type = 'application/json',
  ): Promise<TestAnswer> {
    return call(path, { method, body: JSON.stringify(body), headers: { 'Content-Type': type } });
  }

  const maps = '/api/v1/namespaces/default/configmaps';

  function configMap(name: string, labels: Record<string, string> = {}): object {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } };
  }

  it('takes no token that is nobody’s, and tells a stranger nothing', async () => {
    expect((await call('/api', {}, 'wrong')).status).toBe(401);
    const answer = await sendRequest(cluster, maps, {});
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ reason: 'Forbidden', status: 'Failure' });
  });

  it('forgets the tokens of a ServiceAccount that is gone', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await send('POST', accounts, { metadata: { name: 'robot' } });
    const token = cluster.tokens.issueToken('default', 'robot');
    expect((await call('/api', {}, token)).status).toBe(200);
    await send('DELETE', `${accounts}/robot`, {});
    expect((await call('/api', {}, token)).status).toBe(401);
  });

  it('watches what a selector sees, from a resourceVersion on', async () => {
    const { metadata } = (await call(maps)).json() as {
      metadata: { resourceVersion: string };
    };
    const query = `watch=1&labelSelector=a%3D1&resourceVersion=${metadata.resourceVersion}`;
    await send('POST', maps, configMap('w', { a: '1' }));
    const watch = call(`${maps}?${query}`, { maxLines: 5 });
    const merge = 'application/merge-patch+json';
    await send('PATCH', `${maps}/w`, { data: { x: '1' } }, merge);
    await send('PATCH', `${maps}/w`, { metadata: { labels: { a: '2' } } }, merge);
    await send('PATCH', `${maps}/w`, { metadata: { labels: { a: '1' } } }, merge);
    await send('DELETE', `${maps}/w`, {});
    const types = linesOf(await watch).map(({ type }) => type);
    expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']);
  });

  it('begins a streamed list with everything and a bookmark', async () => {
    const query =
      'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = linesOf(await call(`${maps}?${query}`, { maxLines: 2 }));
    expect(events[0]).toMatchObject({
      type: 'ADDED',
      object: { metadata: { name: 'kube-root-ca.crt' } },
    });
    expect(events[1]).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
  });

  it('says that a resourceVersion is gone', async () => {
    const answer = await call(`${maps}?watch=1&resourceVersion=999999`);
    expect(answer.text).toContain('"code":410');
  });

  it('tries without storing', async () => {
    const answer = await send('POST', `${maps}?dryRun=All`, configMap('dry'));
    expect(answer.status).toBe(201);
    expect((await call(`${maps}/dry`)).status).toBe(404);
  });

  it('deletes what a selector chooses', async () => {
    await send('POST', maps, configMap('one', { gone: 'yes' }));
    await send('POST', maps, configMap('two', { gone: 'no' }));
    await send('DELETE', `${maps}?labelSelector=gone%3Dyes`, {});
    expect((await call(`${maps}/one`)).status).toBe(404);
    expect((await call(`${maps}/two`)).status).toBe(200);
  });

  it.each<[string, string, unknown, readonly [number, string]]>([
    ['POST', maps, { metadata: { name: 'Big' } }, [422, 'lowercase RFC 1123']],
    ['POST', maps, { kind: 'Secret', metadata: { name: 'x' } }, [400, 'want v1 ConfigMap']],
    ['POST', maps, { metadata: { name: 'x', namespace: 'other' } }, [400, 'does not match']],
    [
      'POST',
      '/api/v1/namespaces/none/secrets',
      { metadata: { name: 'x' } },
      [404, 'namespaces "none"'],
    ],
    ['PATCH', `${maps}/none`, {}, [415, 'unknown format']],
    ['GET', '/apis/none/v1/things', undefined, [404, 'could not find the requested resource']],
    ['PUT', `${maps}/none`, { metadata: { name: 'none' } }, [404, 'configmaps "none" not found']],
  ])('%s %s of %j is refused: %j', async (method, path, body, [status, message]) => {
    if (status === 415) await send('POST', maps, configMap('none'));
    const answer = body ? await send(method, path, body) : await call(path, { method });
    if (status === 415) await send('DELETE', `${maps}/none`, {});
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({
      kind: 'Status',
      message: expect.stringContaining(message) as string,
    });
  });

  it('passes requests on to a Service, without the login', async () => {
    const path = '/api/v1/namespaces/default/services/http:up:80/proxy/v2/a%2Fb?n=1';
    const answer = await call(path, { method: 'POST', body: 'x', headers: { 'X-Key': 'k' } });
    // As the real one: it names the proxy, without TLS.
    expect(answer.headers['location']).toBe(
      `${cluster.url.replace('https:', 'http:')}/api/v1/namespaces/default/services/http:up:80/proxy/v2/elsewhere`,
    );
    const seen = answer.json() as { url: string; headers: Record<string, string> };
    expect(seen.url).toBe('/v2/a%2Fb?n=1');
    expect(seen.headers['x-key']).toBe('k');
    expect(seen.headers['authorization']).toBeUndefined();
  });

  it('says that nobody answers behind a Service', async () => {
    const answer = await call('/api/v1/namespaces/default/services/down/proxy/');
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ reason: 'ServiceUnavailable' });
  });
});
