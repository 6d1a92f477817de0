import { afterAll, beforeAll } from 'vitest';

import { describeBridge } from '../e2e/bridge.ts';
import type { BridgedWorld } from '../e2e/bridge.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';

let real: RealWorld;
let origin: string;

beforeAll(async () => {
  real = await startRealWorld();
  await real.run('operator', 'install', '--wait');
  await real.run('simple', 'install', '--node-port', '--wait');
  await real.run('registry', 'create', 'default', '--provider=simple', '--wait');
  const host = (await real.run('simple', 'host')).toString().trim();
  origin = `${real.nodeAddress}:${host.split(':')[1]}`;
});

afterAll(() => real.close());

const world = (): BridgedWorld => ({
  env: {},
  words: ['-n', real.namespace],
  registry: 'default',
  origin,
});

describeBridge('real cluster', world);
