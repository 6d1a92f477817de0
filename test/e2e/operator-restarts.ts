import { setTimeout as delay } from 'node:timers/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names, registryCrd } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { missingImage, operatorPlaceholder } from '../support/in-process-operator.ts';
import { startOperatorProcess } from '../support/operator-process.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { Seeded } from '../support/seeded.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

const registries = ['a', 'b', 'c', 'd', 'e'];
/** `npm run test:soak` makes ten times as many. */
const few = { changes: 20, kills: 3 };
/** client-go's 15 s until a Lease expires, one turn, and what a busy machine takes. */
const failoverMs = 25_000;

/** Operators as processes that are killed, and what they leave for the next one. */
export function describeOperatorRestarts(
  title: string,
  world: () => ClusterWorld,
  { changes, kills } = few,
): void {
  describe(`${title}, operators that are killed`, { timeout: 180_000 }, () => {
    let place: UserShell;
    const operators: OperatorProcess[] = [];
    const start = async (identity: string): Promise<OperatorProcess> => {
      const words = [`--image=${missingImage}`, `--identity=${identity}`];
      const operator = await startOperatorProcess(place.env, ...words);
      operators.push(operator);
      return operator;
    };

    beforeAll(async () => {
      place = await openUserShell(world());
      const { kubernetes, namespace } = place;
      await kubernetes.apply(registryCrd());
      for (const object of operatorPlaceholder(namespace)) await kubernetes.apply(object);
      const served = () => kubernetes.list(resourceTypes.Registry, { namespace });
      await vi.waitFor(served, { timeout: 20_000, interval: 200 });
    });

    afterEach(async () => {
      await Promise.all(operators.splice(0).map((operator) => operator.stop()));
    });

    afterAll(() => place?.close());

    it(`bring ${changes} changes of specs to the right end, killed at random moments`, async () => {
      const chance = new Seeded();
      const { kubernetes, namespace } = place;
      for (const name of registries) await kubernetes.create(registryOf(name, namespace));
      const startLeading = async (): Promise<OperatorProcess> => {
        const operator = await start('one');
        await vi.waitUntil(() => operator.said.includes('Leading'), { timeout: 40_000 });
        return operator;
      };
      let operator = await startLeading();
      for (let change = 0; change < changes; change += 1) {
        const name = registries[chance.below(registries.length)] ?? '';
        await changeSpec(kubernetes, namespace, name, {
          direct: { host: `host-${change}.test` },
          pullHost: `pull-${change}.test`,
          replicas: chance.below(2),
        });
        await delay(chance.below(150));
        if (change % Math.ceil(changes / kills) !== 3) continue;
        // Not before it was at work: who only clears up in the end proves nothing.
        await vi.waitUntil(() => operator.said.includes('StatefulSet'), { timeout: 20_000 });
        await operator.kill();
        operator = await startLeading();
      }
      await vi.waitFor(
        async () => {
          const ends = registries.map((name) => differencesOf(kubernetes, namespace, name));
          expect((await Promise.all(ends)).flat(), `seed ${chance.seed}`).toEqual([]);
        },
        { timeout: 60_000, interval: 500 },
      );
    });

    it('are followed by the one that stands by, and by nobody before the Lease is over', async () => {
      const leader = await start('first');
      await vi.waitUntil(() => leader.said.includes('Leading'), { timeout: 40_000 });
      const standby = await start('second');
      await delay(3000);
      expect(standby.said).not.toContain('Leading');
      await leader.kill();
      const killedAtMs = performance.now();
      await vi.waitUntil(() => standby.said.includes('Leading'), { timeout: failoverMs });
      const tookMs = performance.now() - killedAtMs;
      expect(tookMs).toBeGreaterThan(10_000);
      await changeSpec(place.kubernetes, place.namespace, 'a', { direct: { host: 'after.test' } });
      await vi.waitFor(async () => {
        expect(await differencesOf(place.kubernetes, place.namespace, 'a')).toEqual([]);
      }, 20_000);
      // One that is told to stop lets go of the Lease: nobody waits.
      const third = await start('third');
      await delay(2500);
      await standby.stop();
      await vi.waitUntil(() => third.said.includes('Leading'), { timeout: 6000 });
    });
  });
}

function registryOf(name: string, namespace: string): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace },
    spec: { type: 'oci', direct: { host: 'first.test' } },
  };
}

async function changeSpec(
  kubernetes: KubernetesClient,
  namespace: string,
  name: string,
  spec: Partial<Registry['spec']>,
): Promise<void> {
  // The operator writes the status meanwhile.
  await vi.waitFor(async () => {
    const found = await kubernetes.get<Registry>(resourceTypes.Registry, name, namespace);
    await kubernetes.replace({ ...found, spec: { ...found.spec, ...spec } });
  }, 10_000);
}

interface Made extends KubernetesObject {
  spec?: { replicas?: number };
  data?: Record<string, string>;
}

async function madeOf(
  kubernetes: KubernetesClient,
  namespace: string,
  registry: string,
): Promise<{ replicas: number | undefined; config: string }> {
  const name = names.surrogate(registry);
  const set = await kubernetes.find<Made>(resourceTypes.StatefulSet, name, namespace);
  const config = await kubernetes.find<Made>(resourceTypes.ConfigMap, name, namespace);
  return { replicas: set?.spec?.replicas, config: config?.data?.['registry.json'] ?? '' };
}

/** What of a Registry's surrogate and status is not what its spec says. */
async function differencesOf(
  kubernetes: KubernetesClient,
  namespace: string,
  name: string,
): Promise<string[]> {
  const { spec, status, metadata } = await kubernetes.get<Registry>(
    resourceTypes.Registry,
    name,
    namespace,
  );
  const made = await madeOf(kubernetes, namespace, name);
  const host = spec.direct?.host ?? '';
  return Object.entries({
    replicas: made.replicas === (spec.replicas ?? 1),
    host: made.config.includes(`"${host}"`),
    pushHost: status?.pushHost === host,
    pullHost: status?.pullHost === (spec.pullHost ?? host),
    observedGeneration: status?.observedGeneration === metadata.generation,
  }).flatMap(([what, isRight]) => (isRight ? [] : [`${name}: ${what}`]));
}
