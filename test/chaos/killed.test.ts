import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Seeded } from '../support/seeded.ts';
import { survived, victims, Victims } from './killed.ts';
import { startRelayedWorld } from './relayed-world.ts';
import type { RelayedWorld } from './relayed-world.ts';

const chance = new Seeded();
let world: RelayedWorld;
let lost: Victims;

beforeAll(async () => {
  world = await startRelayedWorld();
  lost = new Victims(world, chance);
});

afterAll(() => world.close());

describe(
  `an image gets there and back (REPOSURE_SEED=${chance.seed})`,
  { timeout: 120_000 },
  () => {
    it.each(victims)('by exec, though %s is lost on the way', async (victim) => {
      const survival = await lost.survive(victim, 'exec');
      expect(survival).toEqual(survived(survival));
    });

    // A registry that is lost again and again is started later each time.
    it.each(victims.filter((victim) => victim !== 'the registry'))(
      'by proxy, though %s is lost on the way',
      async (victim) => {
        const survival = await lost.survive(victim, 'proxy');
        expect(survival).toEqual(survived(survival));
      },
    );

    it.each(['the cable', 'the registry'] as const)(
      'directly, though %s is lost',
      async (victim) => {
        const survival = await lost.survive(victim, 'direct');
        expect(survival).toEqual(survived(survival));
      },
    );
  },
);
