import { afterAll, beforeAll } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeOperatorRestarts } from './operator-restarts.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(() => embedded.close());

describeOperatorRestarts('embedded cluster', () => ({ env: embedded.env, namespace: 'restarts' }));
