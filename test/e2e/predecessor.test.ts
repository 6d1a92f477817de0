import { afterAll, beforeAll } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describePredecessor } from './predecessor.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(async () => {
  await embedded.close();
});

describePredecessor('the embedded cluster', () => ({
  env: embedded.env,
  namespace: 'mynamespace',
}));
