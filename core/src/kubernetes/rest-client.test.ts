import type { IncomingMessage, ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import type { KubernetesObject } from './client.ts';
import { resourceTypes } from './resource-types.ts';
import { answer, bodyOf, refuse, startApiServer } from './test/api-server.ts';

const pod = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ci' },
});

describe('RestClient', () => {
  it('lists page by page, and says of every item what it is', async () => {
    await using api = await startApiServer((request, response) => {
      const isFirst = !request.url?.includes('continue=');
      answer(response, {
        metadata: { resourceVersion: '7', ...(isFirst && { continue: 'more' }) },
        items: [{ metadata: { name: isFirst ? 'a' : 'b' } }],
      });
    });
    const client = await api.open();
    const list = await client.list(resourceTypes.Pod, { namespace: 'ci', labelSelector: 'a=b' });
    expect(list).toEqual({
      resourceVersion: '7',
      items: [
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } },
      ],
    });
    expect(api.seen).toEqual([
      'GET /api/v1/namespaces/ci/pods?labelSelector=a%3Db&limit=500',
      'GET /api/v1/namespaces/ci/pods?labelSelector=a%3Db&limit=500&continue=more',
    ]);
  });

  it('lists all at once when the continue token has expired', async () => {
    await using api = await startApiServer((request, response) => {
      if (request.url?.includes('continue=')) refuse(response, 410, 'Expired', 'too old');
      else if (request.url?.includes('limit=')) answer(response, { metadata: { continue: 'x' } });
      else answer(response, { metadata: {}, items: [{ metadata: { name: 'a' } }] });
    });
    const { items } = await (await api.open()).list(resourceTypes.Namespace);
    expect(items).toHaveLength(1);
  });

  it('applies on the server, with our name and without managedFields', async () => {
    let sent: unknown;
    let type: string | undefined;
    const echo = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      sent = await bodyOf(request);
      answer(response, sent as object);
    };
    await using api = await startApiServer((request, response) => {
      type = request.headers['content-type'];
      void echo(request, response);
    });
    const metadata = { name: 'a', namespace: 'ci', managedFields: [{}] };
    const client = await api.open();
    await client.apply({ ...pod('a'), metadata }, { subresource: 'status', dryRun: true });
    expect(api.seen).toEqual([
      'PATCH /api/v1/namespaces/ci/pods/a/status?fieldManager=reposure&force=true&dryRun=All',
    ]);
    expect(type).toBe('application/apply-patch+yaml');
    expect(sent).toEqual(pod('a'));
  });

  it("uses the context's namespace where an object has none, and escapes names", async () => {
    await using api = await startApiServer((_, response) => answer(response, pod('a')));
    const client = await api.open({ namespace: 'team' });
    await client.get(resourceTypes.Secret, 'a/b?c');
    await client.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } });
    await client.get(resourceTypes.Namespace, 'n');
    expect(api.seen).toEqual([
      'GET /api/v1/namespaces/team/secrets/a%2Fb%3Fc',
      'POST /apis/apps/v1/namespaces/team/deployments?fieldManager=reposure',
      'GET /api/v1/namespaces/n',
    ]);
    await expect(client.delete(resourceTypes.Pod, '')).rejects.toThrow(RangeError);
  });

  it('asks the API once for a kind that it does not know', async () => {
    await using api = await startApiServer((request, response) => {
      const resources = [
        { name: 'tasks/status', kind: 'Task', namespaced: true },
        { name: 'tasks', kind: 'Task', namespaced: true },
      ];
      if (request.url === '/apis/tekton.dev/v1') answer(response, { resources });
      else if (request.url === '/apis/none/v1') refuse(response, 404, 'NotFound', 'no');
      else answer(response, {});
    });
    const client = await api.open();
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 't' } };
    await client.replace(task);
    await client.replace(task);
    const put = 'PUT /apis/tekton.dev/v1/namespaces/default/tasks/t?fieldManager=reposure';
    expect(api.seen).toEqual(['GET /apis/tekton.dev/v1', put, put]);
    await expect(
      client.apply({ apiVersion: 'none/v1', kind: 'No', metadata: { name: 'n' } }),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it.each([
    ['a namespace', 'namespaces "ci" not found', 'make it with kubectl create namespace ci'],
    ['a kind', 'the server could not find the requested resource', 'want that kind installed'],
  ])('says how to make %s that is not there', async (_, said, step) => {
    await using api = await startApiServer((__, response) =>
      refuse(response, 404, 'NotFound', said),
    );
    const client = await api.open();
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'ci' } };
    await expect(client.create(secret)).rejects.toThrow(`${said}; ${step}`);
  });

  it.each([
    [401, 'Unauthorized', /; want a login that the cluster knows: check the user "tester"/],
    [403, 'Forbidden', /; want a role that allows it/],
    [
      404,
      'NotFound',
      /^KubernetesError: Cannot get Pod ci\/a at https:\/\/127\.0\.0\.1:\d+: so it is$/,
    ],
    [409, 'Conflict', /so it is/],
    [500, 'InternalError', /so it is/],
  ])('tells a %i by its reason, with the next step', async (status, reason, message) => {
    await using api = await startApiServer((_, response) =>
      refuse(response, status, reason, 'so it is'),
    );
    const client = await api.open();
    const failure = await client.get(resourceTypes.Pod, 'a', 'ci').catch((e: unknown) => e);
    expect(failure).toMatchObject({
      code: 'CLUSTER_RESPONSE',
      status,
      reason,
      isTransient: status === 500,
      isNotFound: status === 404,
      isForbidden: status === 403,
      isConflict: status === 409,
    });
    expect(String(failure)).toMatch(message);
  });

  it('finds nothing and deletes nothing where there is nothing', async () => {
    await using api = await startApiServer((_, response) => refuse(response, 404, 'NotFound', ''));
    const client = await api.open();
    await expect(client.find(resourceTypes.Pod, 'a')).resolves.toBeUndefined();
    await expect(client.delete(resourceTypes.Pod, 'a')).resolves.toBe(false);
  });

  it('comes again when the server asks for it', async () => {
    let asked = 0;
    await using api = await startApiServer((_, response) => {
      asked++;
      if (asked === 1) answer(response, {}, 429, { 'retry-after': '0.01' });
      else answer(response, { status: { allowed: true } });
    });
    const client = await api.open();
    await expect(client.can({ verb: 'get', resource: 'pods' })).resolves.toBe(true);
    expect(asked).toBe(2);
  });

  it('says that a page of a proxy in between is no answer of the API', async () => {
    await using api = await startApiServer((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>oops</html>');
    });
    const client = await api.open();
    await expect(client.get(resourceTypes.Pod, 'a', 'ci')).rejects.toThrow(
      /: the API answered 502 \(Unknown\)$/,
    );
  });

  it('says that a server is gone', async () => {
    const api = await startApiServer(() => {});
    const client = await api.open();
    await api[Symbol.asyncDispose]();
    await expect(client.get(resourceTypes.Pod, 'a')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      isTransient: true,
    });
  });

  it('says that an answer was cut off', async () => {
    await using api = await startApiServer((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"kind":', () => response.destroy());
    });
    const client = await api.open();
    await expect(client.get(resourceTypes.Pod, 'a')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('ends a request with the reason of its signal', async () => {
    await using api = await startApiServer(() => stop.abort(reason));
    const stop = new AbortController();
    const reason = new Error('enough');
    const client = await api.open();
    await expect(client.get(resourceTypes.Pod, 'a', 'ci', stop.signal)).rejects.toBe(reason);
  });

  it('reads a log while it is written', async () => {
    await using api = await startApiServer((_, response) => {
      response.write('one\n');
      response.end('two\n');
    });
    const client = await api.open();
    const options = { container: 'c', follow: true, tailLines: 5 };
    const chunks = await Array.fromAsync(client.logs('p', 'ci', options));
    expect(Buffer.concat(chunks).toString()).toBe('one\ntwo\n');
    expect(api.seen).toEqual([
      'GET /api/v1/namespaces/ci/pods/p/log?container=c&follow=true&tailLines=5',
    ]);
  });
});
