import { afterAll, beforeAll } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';
import type { RunningRegistry } from '../support/registries.ts';
import { describeMainJobs } from './main-job.ts';
import type { World } from './main-job.ts';

const versions = ['2', '3'] as const;

let embedded: EmbeddedWorld;
const origins = new Map<string, string>();
const registries: RunningRegistry[] = [];

const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: embedded.env });

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
  origins.set('default', (await run('simple', 'host')).toString().trim());
  for (const version of versions) {
    const registry = await startDistribution({ version });
    if (!registry) continue;
    registries.push(registry);
    const name = `distribution-${version}`;
    await run('registry', 'create', name, `--host=${registry.host}`, '--insecure', '--wait');
    origins.set(name, registry.host);
  }
});

afterAll(async () => {
  await Promise.all(registries.map((registry) => registry.close()));
  await embedded.close();
});

const worldOf = (name: string) => (): World => {
  const origin = origins.get(name) ?? 'not on this machine';
  return { env: embedded.env, registry: { name, origin } };
};

// Every route and version of it once, and every registry once.
describeMainJobs([
  { title: 'embedded registry, proxy', world: worldOf('default'), route: 'proxy' },
  {
    title: 'Distribution 2, exec v5',
    world: worldOf('distribution-2'),
    protocol: 'v5.channel.k8s.io',
    isBrief: true,
    isThere: findDistribution('2') !== undefined,
  },
  {
    title: 'Distribution 3, exec v4',
    world: worldOf('distribution-3'),
    protocol: 'v4.channel.k8s.io',
    isBrief: true,
    isThere: findDistribution('3') !== undefined,
  },
]);
