import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { askSurrogate, surrogateAsker } from './health-probe.ts';
import { startHealthServer } from './health-server.ts';
import { makeVitals } from './vitals.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function surrogate(status: number, body: string): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/readyz' ? status : 404).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

describe('askSurrogate()', () => {
  const { signal } = new AbortController();

  it.each([
    [200, '{"reachable":true,"credentialsValid":true}', ''],
    [503, '{"reachable":true,"credentialsValid":false,"message":"401"}', '401'],
    [503, '{"reachable":false,"credentialsValid":false,"distrust":"CertificateExpired"}', ''],
  ])('understands %d %s', async (status, body, message) => {
    const port = await surrogate(status, body);
    const health = await askSurrogate('127.0.0.1', signal, port);
    expect(health).toEqual({ ...JSON.parse(body), message });
  });

  it('takes no word for a reason that it does not know', async () => {
    const text = '{"reachable":false,"credentialsValid":false,"distrust":"Not a reason"}';
    const health = await askSurrogate('127.0.0.1', signal, await surrogate(503, text));
    expect(health).toEqual({ reachable: false, credentialsValid: false, message: '' });
  });

  it.each([
    [200, 'ok'],
    [200, '{}'],
    [200, '[1]'],
    [200, 'null'],
    [404, ''],
    [200, `{"reachable":true,"credentialsValid":true,"message":"${'x'.repeat(70_000)}"}`],
  ])('learns nothing from %d %.20s', async (status, body) => {
    const port = await surrogate(status, body);
    expect(await askSurrogate('127.0.0.1', signal, port)).toBeUndefined();
  });

  it('learns nothing from a port where nobody is', async () => {
    const port = await surrogate(200, '');
    await closers.pop()?.();
    expect(await askSurrogate('127.0.0.1', signal, port)).toBeUndefined();
  });

  it('stops asking when told to', async () => {
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(askSurrogate('127.0.0.1', stopped, 9)).rejects.toThrow('stopped');
  });
});

describe('surrogateAsker()', () => {
  it('leaves one alone for a while that said nothing in time, and no other', async () => {
    let now = 0;
    const asked: string[] = [];
    const { signal } = new AbortController();
    const ask = surrogateAsker(
      async (podIp) => {
        asked.push(podIp);
        if (podIp === 'silent') now += 10_000;
        return undefined;
      },
      () => now,
    );
    for (const podIp of ['silent', 'silent', 'refusing', 'refusing']) await ask(podIp, signal);
    expect(asked).toEqual(['silent', 'refusing', 'refusing']);
    now += 121_000;
    await ask('silent', signal);
    expect(asked.at(-1)).toBe('silent');
  });
});

describe('startHealthServer()', () => {
  it('answers 200, or 503 with what is wrong', async () => {
    let trouble: string | undefined = 'not yet';
    const server = await startHealthServer(
      { address: '127.0.0.1', port: 0 },
      { live: () => undefined, ready: () => trouble, metrics: async () => 'a 1\n' },
    );
    closers.push(() => server.close());
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()];
    };
    expect(await ask('/livez')).toEqual([200, 'ok\n']);
    expect(await ask('/readyz')).toEqual([503, 'not yet\n']);
    trouble = undefined;
    expect(await ask('/readyz')).toEqual([200, 'ok\n']);
    expect(await ask('/metrics')).toEqual([200, 'a 1\n']);
    expect(await ask('/secrets')).toEqual([404, '']);
  });
});

describe('makeVitals()', () => {
  it('is ready once it has looked at the lease, and as a leader once it knows the Registries', () => {
    const vitals = makeVitals();
    expect(vitals.ready()).toMatch(/lease/);
    vitals.turned();
    expect(vitals.ready()).toBeUndefined();
    vitals.leading();
    expect(vitals.ready()).toMatch(/Registries/);
    vitals.synced();
    expect(vitals.ready()).toBeUndefined();
  });

  it('is no longer alive when it stops looking at the lease', () => {
    let now = 0;
    const vitals = makeVitals(() => now);
    now = 59_000;
    vitals.turned();
    now = 118_000;
    expect(vitals.live()).toBeUndefined();
    now = 120_000;
    expect(vitals.live()).toMatch(/lease/);
  });
});
