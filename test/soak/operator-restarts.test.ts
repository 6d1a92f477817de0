import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll } from 'vitest';

import { describeOperatorRestarts } from '../e2e/operator-restarts.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';

/** `KUBECONFIG` of a real cluster, else the embedded one. */
const { KUBECONFIG } = process.env;
const namespace = `reposure-soak-restarts-${randomBytes(4).toString('hex')}`;
let embedded: EmbeddedWorld | undefined;

beforeAll(async () => {
  embedded = KUBECONFIG ? undefined : await startEmbeddedWorld();
});

afterAll(() => embedded?.close());

describeOperatorRestarts(
  'many changes',
  () => ({ env: embedded?.env ?? { KUBECONFIG: KUBECONFIG ?? '' }, namespace }),
  { changes: 200, kills: 10 },
);
