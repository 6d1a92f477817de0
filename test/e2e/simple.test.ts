import { maintainSimple } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject, ResourceType } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { certManagerDefinitions, startCertManager } from '../support/cert-manager.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import type { UserShell } from '../support/user-shell.ts';
import type { Secret } from './secrets-inspection.ts';
import { describeSimple, podNames } from './simple.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(async () => {
  await embedded.close();
});

describeSimple(
  'the embedded cluster',
  () => ({
    world: { env: embedded.env, namespace: 'simple' },
    options: {
      nodeAddress: 'localhost',
      storage: '--storage 1Gi',
      settle: '5s',
      isHasty: true,
    },
  }),
  (place) => {
    it.each([
      ['simple install --storage 1Gi --s3-bucket images', /want one place for images/],
      ['simple install --storage 1Gi --storage-class fast', /storage class "fast": there is none/],
      ['simple install --tls=cert-manager', /no Issuer in cert-manager.io\/v1/],
      ['simple install --tls-secret nobody', /nobody: it does not exist/],
      ['simple install --s3-bucket images --s3-secret nobody', /no Secret simple\/nobody/],
    ])('refuses, and leaves everything as it is: %s', async (words, message) => {
      const before = await objectsOf(place(), resourceTypes.Deployment, resourceTypes.Secret);
      const { status, stderr } = await place().run(`reposure ${words}`);
      expect([status, stderr]).toEqual([expect.toBeOneOf([1, 2]), expect.stringMatching(message)]);
      const after = await objectsOf(place(), resourceTypes.Deployment, resourceTypes.Secret);
      expect(after).toEqual(before);
    });

    it('serves what cert-manager issues, and follows when it issues anew', async () => {
      const { ok, kubernetes, namespace } = place();
      for (const definition of certManagerDefinitions()) await kubernetes.apply(definition);
      const ending = new AbortController();
      const playing = startCertManager(kubernetes, namespace, ending.signal);
      try {
        await ok('reposure simple install --tls=cert-manager --login --storage 1Gi --wait');
        await ok('reposure registry create default --provider=simple --wait');
        await ok('reposure image push default team/app:by-cert-manager password');
        const { tls } = JSON.parse(await ok('reposure simple status -o json'));
        expect(tls).toMatchObject({ secret: 'reposure-simple-certificate' });
        const former = await podNames(place());
        const { data } = await kubernetes.get<Secret>(
          resourceTypes.Secret,
          'reposure-simple-certificate-ca',
          namespace,
        );
        const name = 'reposure-simple-certificate';
        const secret = await kubernetes.get<Secret>(resourceTypes.Secret, name, namespace);
        await kubernetes.replace({ ...secret, data });
        await maintainSimple(kubernetes, namespace);
        await expect.poll(() => podNames(place()), { timeout: 60_000 }).not.toContain(former[0]);
      } finally {
        ending.abort();
        await playing.catch(() => {});
      }
      const refusal = await place().run('reposure simple renew');
      expect(refusal.stderr).toMatch(/reposure-simple-certificate is not ours/);
      await ok('reposure simple uninstall --purge --wait');
      const left = await objectsOf(place(), resourceTypes.Secret, ...certManagerTypes);
      expect(left.filter(({ metadata }) => metadata.name.includes('simple'))).toEqual([]);
    });
  },
);

const certManagerTypes = (['Certificate', 'Issuer'] as const).map((kind) => ({
  apiVersion: 'cert-manager.io/v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
}));

async function objectsOf(
  { kubernetes, namespace }: UserShell,
  ...types: readonly ResourceType[]
): Promise<KubernetesObject[]> {
  const lists = await Promise.all(
    types.map((type) => kubernetes.list<KubernetesObject>(type, { namespace })),
  );
  return lists.flatMap(({ items }) => items);
}
