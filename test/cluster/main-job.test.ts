import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll } from 'vitest';

import { describeMainJobs } from '../e2e/main-job.ts';
import type { RegistryUnderTest, World } from '../e2e/main-job.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';

let world: RealWorld;
let directory: string;
const registries = new Map<string, RegistryUnderTest>();
const started: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  world = await startRealWorld();
  directory = await mkdtemp(join(tmpdir(), 'real-world-'));
  await world.run('operator', 'install', '--wait');
  // Distribution 3, in the cluster: images go in by the API alone, other tools look at the node port.
  await world.run('simple', 'install', '--node-port', '--wait');
  await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
  const [, nodePort = ''] = (await world.run('simple', 'host')).toString().trim().split(':');
  registries.set('simple', { name: 'default', origin: `${world.nodeAddress}:${nodePort}` });
  // The others run on this machine, and the cluster's Pods reach them.
  const { address } = world;
  const embedded = await startRegistry({ directory: join(directory, 'embedded'), host: address });
  const distribution2 = await startDistribution({ version: '2', address });
  for (const [name, registry] of Object.entries({ embedded, distribution2 })) {
    if (!registry) continue;
    started.push(registry);
    await world.run('registry', 'create', name, `--host=${registry.host}`, '--insecure', '--wait');
    registries.set(name, { name, origin: registry.host });
  }
});

afterAll(async () => {
  await Promise.all(started.map((registry) => registry.close()));
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

const worldOf = (name: string) => (): World => {
  const registry = registries.get(name);
  if (!registry) throw new Error(`${name} is not installed on this machine`);
  return { namespace: world.namespace, env: {}, registry };
};

describeMainJobs([
  {
    title: 'real cluster, registry 3, exec v4',
    world: worldOf('simple'),
    protocol: 'v4.channel.k8s.io',
  },
  {
    title: 'real cluster, registry 3, exec v5',
    world: worldOf('simple'),
    protocol: 'v5.channel.k8s.io',
    isBrief: true,
  },
  {
    title: 'real cluster, Distribution 2, exec v5',
    world: worldOf('distribution2'),
    isThere: findDistribution('2') !== undefined,
    protocol: 'v5.channel.k8s.io',
    isBrief: true,
  },
  {
    title: 'real cluster, embedded registry, exec v4',
    world: worldOf('embedded'),
    protocol: 'v4.channel.k8s.io',
    isBrief: true,
  },
]);
