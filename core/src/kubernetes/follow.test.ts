import type { ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { silent } from '../log.ts';
import type { KubernetesObject } from './client.ts';
import { watchAll } from './reflector.ts';
import { resourceTypes } from './resource-types.ts';
import { answer, refuse, startApiServer } from './test/api-server.ts';
import { waitFor } from './wait.ts';

const pod = (name: string, resourceVersion: string): object => ({
  kind: 'Pod',
  metadata: { name, resourceVersion },
});

function tell(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

describe('watch()', () => {
  it('tells events and bookmarks until the server ends it', async () => {
    await using api = await startApiServer((_, response) => {
      tell(response, 'ADDED', pod('a', '2'));
      tell(response, 'BOOKMARK', { metadata: { resourceVersion: '9' } });
      tell(response, 'SOMETHING', {});
      response.end();
    });
    const client = await api.open();
    const events = client.watch(resourceTypes.Pod, { namespace: 'ci', resourceVersion: '1' });
    await expect(Array.fromAsync(events)).resolves.toEqual([
      { type: 'ADDED', object: pod('a', '2') },
      { type: 'BOOKMARK', resourceVersion: '9' },
    ]);
    expect(api.seen[0]).toMatch(
      /pods\?resourceVersion=1&timeoutSeconds=[345]\d\d&watch=true&allowWatchBookmarks=true$/,
    );
  });

  it('ends when the server has fallen silent, and not while it says something', async () => {
    await using api = await startApiServer((_, response) => {
      response.writeHead(200).flushHeaders();
      let said = 0;
      const timer = setInterval(() => {
        said += 1;
        tell(response, 'BOOKMARK', { metadata: { resourceVersion: String(said) } });
        if (said === 5) clearInterval(timer);
      }, 100);
    });
    const client = await api.open();
    const events = client.watch(resourceTypes.Pod, { namespace: 'ci', silenceMs: 400 });
    await expect(Array.fromAsync(events)).resolves.toHaveLength(5);
  });

  it('throws what an ERROR event says', async () => {
    await using api = await startApiServer((_, response) => {
      tell(response, 'ERROR', { code: 410, reason: 'Expired', message: 'too old' });
      response.end();
    });
    const client = await api.open();
    await expect(
      Array.fromAsync(client.watch(resourceTypes.Pod, { namespace: 'ci' })),
    ).rejects.toMatchObject({ isExpired: true, message: expect.stringContaining('too old') });
  });
});

describe('watchAll()', () => {
  it('goes on where it was, and lists again when that has expired', async () => {
    let turn = 0;
    await using api = await startApiServer((request, response) => {
      turn++;
      if (!request.url?.includes('watch=')) {
        const metadata = { resourceVersion: String(turn * 10) };
        answer(response, { metadata, items: [pod('a', '1')] });
      } else if (turn === 2) {
        const line = JSON.stringify({ type: 'MODIFIED', object: pod('a', '11') });
        response.write(`${line}\n{"ty`, () => setTimeout(() => response.destroy(), 20));
      } else if (turn === 3) {
        tell(response, 'ERROR', { code: 410, reason: 'Expired' });
        response.end();
      } else {
        tell(response, 'DELETED', pod('a', '41'));
      }
    });
    const client = await api.open();
    const stop = new AbortController();
    const told: string[] = [];
    const options = { signal: stop.signal, log: silent };
    for await (const event of watchAll<KubernetesObject>(client, resourceTypes.Pod, options)) {
      told.push(event.type);
      if (event.type === 'DELETED') stop.abort();
    }
    expect(told).toEqual(['SYNC', 'MODIFIED', 'SYNC', 'DELETED']);
    const versions = api.seen.map((it_) => /resourceVersion=(\d+)/.exec(it_)?.[1]);
    expect(versions).toEqual([undefined, '10', '11', undefined, '40']);
  });

  it('survives refusals, and tells them', async () => {
    await using api = await startApiServer((_, response) =>
      refuse(response, 403, 'Forbidden', 'you may not'),
    );
    const client = await api.open();
    const stop = new AbortController();
    const warnings: string[] = [];
    const warn = (message: string): void => {
      warnings.push(message);
      stop.abort();
    };
    const events = watchAll(client, resourceTypes.Pod, {
      signal: stop.signal,
      log: { ...silent, warn },
    });
    await expect(Array.fromAsync(events)).resolves.toEqual([]);
    expect(warnings.join('')).toMatch(/you may not.*asking again in \d+ ms/);
  });
});

describe('waitFor()', () => {
  const target = { name: 'a', namespace: 'ci' };
  const phase = (object: KubernetesObject | undefined): unknown => object?.['phase'];

  it('waits until an object is as it should be', async () => {
    await using api = await startApiServer((request, response) => {
      if (!request.url?.includes('watch=')) {
        answer(response, { metadata: { resourceVersion: '1' }, items: [] });
        return;
      }
      tell(response, 'ADDED', { ...pod('a', '2'), phase: 'Pending' });
      tell(response, 'MODIFIED', { ...pod('a', '3'), phase: 'Running' });
    });
    const client = await api.open();
    const seen: unknown[] = [];
    const running = await waitFor<KubernetesObject>(client, resourceTypes.Pod, target, {
      until: (object) => {
        seen.push(phase(object));
        return phase(object) === 'Running';
      },
      describe: String,
      timeoutMs: 10_000,
    });
    expect(running.metadata.resourceVersion).toBe('3');
    expect(seen).toEqual([undefined, 'Pending', 'Running']);
    expect(api.seen[0]).toContain('fieldSelector=metadata.name%3Da');
  });

  it('says in the end how far it was', async () => {
    await using api = await startApiServer((request, response) => {
      if (request.url?.includes('watch=')) response.writeHead(200).flushHeaders();
      else {
        const items = [{ ...pod('a', '1'), phase: 'Pending' }];
        answer(response, { metadata: { resourceVersion: '1' }, items });
      }
    });
    const client = await api.open();
    // The first request opens the connection, which must not eat up the time.
    await client.list(resourceTypes.Pod, target);
    const waiting = waitFor<KubernetesObject>(client, resourceTypes.Pod, target, {
      until: () => false,
      describe: (object) => `it is ${String(phase(object))}`,
      timeoutMs: 500,
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/for Pod ci\/a: after 0.5 s it is Pending$/),
    });
  });

  it('asks again and again where it may get but not watch', async () => {
    await using api = await startApiServer((request, response) => {
      if (request.url?.endsWith('/pods/a'))
        answer(response, { ...pod('a', '1'), phase: 'Running' });
      else refuse(response, 403, 'Forbidden', 'you may not watch');
    });
    const client = await api.open();
    const running = await waitFor<KubernetesObject>(client, resourceTypes.Pod, target, {
      until: (object) => phase(object) === 'Running',
      describe: String,
      timeoutMs: 10_000,
    });
    expect(running.metadata.name).toBe('a');
  });

  it('does not wait for rights to come', async () => {
    await using api = await startApiServer((_, response) =>
      refuse(response, 403, 'Forbidden', 'you may not'),
    );
    const client = await api.open();
    const waiting = waitFor(client, resourceTypes.Pod, target, {
      until: Boolean,
      describe: String,
      timeoutMs: 10_000,
    });
    await expect(waiting).rejects.toMatchObject({ isForbidden: true });
  });
});
