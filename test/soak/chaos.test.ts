import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { survived, victims, Victims } from '../chaos/killed.ts';
import { startRelayedWorld } from '../chaos/relayed-world.ts';
import type { RelayedWorld } from '../chaos/relayed-world.ts';
import { Seeded } from '../support/seeded.ts';

const MiB = 1024 * 1024;
const rounds = 10;
const chance = new Seeded();
let world: RelayedWorld;
let lost: Victims;

beforeAll(async () => {
  world = await startRelayedWorld();
  lost = new Victims(world, chance);
});

afterAll(() => world.close());

describe(`${rounds} rounds of losing what can be lost (REPOSURE_SEED=${chance.seed})`, () => {
  describe.each(['exec', 'proxy'] as const)('by %s', (route) => {
    it.each(victims)('%s', async (victim) => {
      for (let round = 0; round < rounds; round++) {
        const survival = await lost.survive(victim, route, 64 * MiB);
        expect(survival).toEqual(survived(survival));
      }
    });
  });

  it.each(['the cable', 'the registry'] as const)('directly: %s', async (victim) => {
    for (let round = 0; round < rounds; round++) {
      const survival = await lost.survive(victim, 'direct', 64 * MiB);
      expect(survival).toEqual(survived(survival));
    }
  });
});
