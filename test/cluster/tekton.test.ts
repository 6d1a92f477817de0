import { afterAll, beforeAll } from 'vitest';

import { describeTekton } from '../e2e/tekton.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';

let world: RealWorld;

beforeAll(async () => {
  world = await startRealWorld();
  await world.run('operator', 'install', '--wait');
  await world.run('simple', 'install', '--tls', '--login', '--node-port', '--wait');
  await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
});

afterAll(() => world.close());

// A user that the image does not know, without a home.
const securityContext = { runAsUser: 1_234_567, runAsGroup: 0, fsGroup: 1_234_567 };

describeTekton(
  'a real cluster',
  () => ({ ...world, route: 'auto', securityContext }),
  ['docker.io/library/buildah:debian'], // as .ci/load-buildah packs it
);
