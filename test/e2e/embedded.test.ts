import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';
import { describeMainJob } from './main-job.ts';
import type { RegistryUnderTest, World } from './main-job.ts';

type Distribution = NonNullable<Awaited<ReturnType<typeof startDistribution>>>;

let embedded: EmbeddedWorld;
const registries = new Map<string, RegistryUnderTest>();
const started: Distribution[] = [];

const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: embedded.env });

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  await run('operator', 'install', '--role=view', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
  const origin = (await run('simple', 'host')).toString().trim();
  registries.set('embedded', { name: 'default', origin });
  for (const release of ['2', '3'] as const) {
    const registry = await startDistribution({ version: release });
    if (!registry) continue;
    started.push(registry);
    const name = `distribution-${release}`;
    await run('registry', 'create', name, `--host=${registry.host}`, '--insecure', '--wait');
    registries.set(name, { name, origin: registry.host });
  }
});

afterAll(async () => {
  await Promise.all(started.map((registry) => registry.close()));
  await embedded.close();
});

const worldOf = (name: string) => (): World => {
  const registry = registries.get(name);
  if (!registry) throw new Error(`${name} is not installed on this machine`);
  return { env: embedded.env, registry };
};

describeMainJob('embedded registry, exec v5', worldOf('embedded'), {
  protocol: 'v5.channel.k8s.io',
});
describeMainJob('embedded registry, exec v4', worldOf('embedded'), {
  protocol: 'v4.channel.k8s.io',
});
describeMainJob('Distribution 2, exec v5', worldOf('distribution-2'), {
  isThere: findDistribution('2') !== undefined,
  protocol: 'v5.channel.k8s.io',
});
describeMainJob('Distribution 3, exec v4', worldOf('distribution-3'), {
  isThere: findDistribution('3') !== undefined,
  protocol: 'v4.channel.k8s.io',
});

describe('the embedded cluster', () => {
  it('is told apart by kubectl-like listing of registries', async () => {
    const list = JSON.parse((await run('registry', 'list', '-o', 'json')).toString()) as {
      metadata: { name: string };
      status: { conditions: { type: string; status: string }[] };
    }[];
    const ready = list.filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    expect(ready.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      [...registries.values()].map(({ name }) => name).toSorted(),
    );
  });
});
