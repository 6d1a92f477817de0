import { openCluster } from '@reposure/core/kubernetes';
import { afterAll, beforeAll } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeTekton } from './tekton.ts';
import type { TektonWorld } from './tekton.ts';

let embedded: EmbeddedWorld;
let world: TektonWorld;

const run = (...words: readonly string[]): Promise<Buffer> =>
  reposureOk(words, { env: embedded.env });

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--tls', '--login', '--node-port', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
  const kubernetes = await openCluster({ kubeconfig: embedded.env['KUBECONFIG'] });
  // Its Pods are processes that have a kubeconfig, so that none of them is "inside".
  world = { kubernetes, namespace: 'default', route: 'direct', run };
});

afterAll(async () => {
  world.kubernetes.close();
  await embedded.close();
});

describeTekton('the embedded cluster', () => world);
