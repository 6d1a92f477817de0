import { afterAll, beforeAll } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeMainJob } from './main-job.ts';
import type { World } from './main-job.ts';

let embedded: EmbeddedWorld;
let origin: string;

const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: embedded.env });

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
  origin = (await run('simple', 'host')).toString().trim();
});

afterAll(() => embedded.close());

const world = (): World => ({ env: embedded.env, registry: { name: 'default', origin } });

describeMainJob('embedded registry, proxy', world, { route: 'proxy' });
describeMainJob('embedded registry, exec v5', world, {
  protocol: 'v5.channel.k8s.io',
  isBrief: true,
});
describeMainJob('embedded registry, exec v4', world, {
  protocol: 'v4.channel.k8s.io',
  isBrief: true,
});
