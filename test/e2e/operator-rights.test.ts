import { afterAll, beforeAll } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeOperatorRights } from './operator-rights.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(() => embedded.close());

describeOperatorRights('embedded cluster', () => ({ env: embedded.env, namespace: 'rights' }));
