import { afterAll, beforeAll } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';
import type { RunningRegistry } from '../support/registries.ts';
import { describeMainJob } from './main-job.ts';
import type { World } from './main-job.ts';

const versions = ['2', '3'] as const;
type Version = (typeof versions)[number];

let embedded: EmbeddedWorld;
const registries = new Map<Version, RunningRegistry>();

const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: embedded.env });

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  for (const version of versions) {
    const registry = await startDistribution({ version });
    if (!registry) continue;
    registries.set(version, registry);
    const host = `--host=${registry.host}`;
    await run('registry', 'create', `distribution-${version}`, host, '--insecure', '--wait');
  }
});

afterAll(async () => {
  await Promise.all([...registries.values()].map((registry) => registry.close()));
  await embedded.close();
});

const worldOf = (version: Version) => (): World => {
  const origin = registries.get(version)?.host ?? 'not on this machine';
  return { env: embedded.env, registry: { name: `distribution-${version}`, origin } };
};

describeMainJob('Distribution 2, exec v5', worldOf('2'), {
  protocol: 'v5.channel.k8s.io',
  isBrief: true,
  isThere: findDistribution('2') !== undefined,
});
describeMainJob('Distribution 3, exec v4', worldOf('3'), {
  protocol: 'v4.channel.k8s.io',
  isThere: findDistribution('3') !== undefined,
});
