import { afterAll, beforeAll } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeOperatorAttacks } from './operator-attacks.ts';
import { describeOperatorHealing } from './operator-healing.ts';
import { describeOperatorInput } from './operator-input.ts';
import { describeOperatorScope } from './operator-scope.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(() => embedded.close());

describeOperatorScope('embedded cluster', () => ({ env: embedded.env, namespace: 'scope' }));
describeOperatorAttacks('embedded cluster', () => ({ env: embedded.env, namespace: 'attacks' }));
describeOperatorInput('embedded cluster', () => ({ env: embedded.env, namespace: 'input' }));
describeOperatorHealing('embedded cluster', () => ({ env: embedded.env, namespace: 'healing' }));
