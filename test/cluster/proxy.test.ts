import { createHash, randomBytes } from 'node:crypto';

import { resourceTypes } from '@reposure/core/kubernetes';
import { digestOf } from '@reposure/core/oci';
import { RegistryClient } from '@reposure/core/registry';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import type { Route } from '@reposure/core/surrogate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { describeMainJobs } from '../e2e/main-job.ts';
import type { RegistryUnderTest } from '../e2e/main-job.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';

let world: RealWorld;
let registry: RegistryUnderTest;

beforeAll(async () => {
  world = await startRealWorld();
  await world.run('operator', 'install', '--wait');
  await world.run('simple', 'install', '--node-port', '--wait');
  await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
  const [, nodePort = ''] = (await world.run('simple', 'host')).toString().trim().split(':');
  registry = { name: 'default', origin: `${world.nodeAddress}:${nodePort}` };
});

afterAll(() => world.close());

describeMainJobs([
  {
    title: 'real cluster, registry 3, proxy',
    world: () => ({ namespace: world.namespace, env: {}, registry }),
    route: 'proxy',
    isBrief: true,
  },
]);

describe('the proxy of a real API server', () => {
  async function opened(): Promise<Route> {
    const { kubernetes, namespace } = world;
    const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
    return await openRoute({ kubernetes, registry: found, route: 'auto' });
  }

  it('is the way that is taken by itself', async () => {
    const route = await opened();
    expect([route.via, route.reason]).toEqual([
      'proxy',
      "not inside a cluster; the API server's proxy answers",
    ]);
  });

  it('carries Locations, ranges and sizes as the gateway signed them', async () => {
    const client = new RegistryClient((await opened()).request);
    const bytes = randomBytes(3_000_000);
    const blob = { digest: digestOf(bytes), size: bytes.byteLength };
    const begun = await client.startUpload('e2e-proxy/app');
    expect(begun.location).toMatch(/^\/v2\/e2e-proxy\/app\/blobs\/uploads\//);
    const half = bytes.subarray(0, 1_000_000);
    const middle = await client.appendUpload(begun, half, { size: half.byteLength });
    expect((await client.statUpload(middle)).offset).toBe(half.byteLength);
    const rest = bytes.subarray(half.byteLength);
    const end = await client.appendUpload(middle, rest, { size: rest.byteLength });
    await client.finishUpload(end, blob.digest);
    expect(await client.statBlob('e2e-proxy/app', blob.digest)).toBe(blob.size);
    const hash = createHash('sha256');
    const back = await client.openBlob('e2e-proxy/app', blob, { offset: 1_000_000 });
    for await (const chunk of back) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(rest).digest('hex'));
  });

  it('says in its own words that nobody is behind it, and goes on when somebody is', async () => {
    const client = new RegistryClient((await opened()).request);
    await client.ping();
    const { kubernetes, namespace } = world;
    await kubernetes.delete(resourceTypes.Pod, names.surrogatePod('default'), namespace);
    const failures: unknown[] = [];
    await expect
      .poll(
        async () => {
          try {
            await client.ping();
            return failures.length > 0;
          } catch (error) {
            failures.push(error);
            return false;
          }
        },
        { timeout: 90_000, interval: 200 },
      )
      .toBe(true);
    for (const failure of failures) expect(failure).toMatchObject({ isTransient: true });
  }, 120_000);
});
