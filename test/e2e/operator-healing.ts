import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject, ResourceType } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';
import { itHealsAnExpiredCertificate } from './expired-certificate.ts';

const surrogate = names.surrogate('default');

/** Everything that makes up a surrogate. */
const parts: readonly (readonly [ResourceType, string])[] = [
  [resourceTypes.StatefulSet, surrogate],
  [resourceTypes.Service, surrogate],
  [resourceTypes.ConfigMap, surrogate],
  [resourceTypes.ServiceAccount, surrogate],
  [resourceTypes.Secret, names.writeKey('default')],
  [resourceTypes.Pod, names.surrogatePod('default')],
];
const withinMs = { timeout: 100_000, interval: 500 };

/** What heals without a person: everything that is deleted, another CA, another address. */
export function describeOperatorHealing(title: string, world: () => ClusterWorld): void {
  describe(`${title}, healing`, { timeout: 180_000 }, () => {
    let place: UserShell;
    const push = async (): Promise<void> => {
      // Each try is a process, and cheaper are questions from here.
      await vi.waitFor(async () => expect(await ready(place)).toBe('True'), withinMs);
      await vi.waitFor(() => place.ok('reposure image push default team/hello hello.txt'), {
        ...withinMs,
        interval: 2000,
      });
    };

    beforeAll(async () => {
      place = await openUserShell(world());
      await Promise.all([
        place.ok('reposure operator install --wait'),
        place.ok('reposure simple install --tls --login --wait'),
      ]);
      await place.ok('reposure registry create default --provider=simple --wait');
      await place.ok('echo hello > hello.txt');
    });

    afterAll(() => place?.close());

    it.each(parts)('a deleted $kind comes back ($1)', async (type, name) => {
      const { kubernetes, namespace } = place;
      const before = await kubernetes.get(type, name, namespace);
      await kubernetes.delete(type, name, namespace);
      if (type === resourceTypes.Secret) await touch(place);
      await vi.waitFor(async () => {
        const after = await kubernetes.get(type, name, namespace);
        expect(after.metadata.uid).not.toBe(before.metadata.uid);
        expect(await ready(place)).toBe('True');
      }, withinMs);
    });

    it('what somebody wrote into an object is set right', async () => {
      const { kubernetes, namespace } = place;
      const { ConfigMap } = resourceTypes;
      const before = await kubernetes.get<KubernetesObject>(ConfigMap, surrogate, namespace);
      await kubernetes.replace({ ...before, data: { 'registry.json': '{"host":"evil.test"}' } });
      await vi.waitFor(async () => {
        const after = await kubernetes.get<KubernetesObject>(ConfigMap, surrogate, namespace);
        expect(after['data']).toEqual(before['data']);
      }, withinMs);
    });

    it('another address of the registry', async () => {
      const { kubernetes, namespace, ok } = place;
      const { Service } = resourceTypes;
      const before = await kubernetes.get(Service, names.simple, namespace);
      await kubernetes.delete(Service, names.simple, namespace);
      await ok('reposure simple install --tls --login --wait');
      const after = await kubernetes.get(Service, names.simple, namespace);
      expect(after.metadata.uid).not.toBe(before.metadata.uid);
      await push();
    });

    it('another CA', async () => {
      const { kubernetes, namespace, ok } = place;
      const { Secret } = resourceTypes;
      const before = await kubernetes.get<KubernetesObject>(Secret, names.simpleTls, namespace);
      await kubernetes.delete(Secret, names.simpleTls, namespace);
      await ok('reposure simple install --tls --login --wait');
      const after = await kubernetes.get<KubernetesObject>(Secret, names.simpleTls, namespace);
      expect(after['data']).not.toEqual(before['data']);
      await vi.waitFor(async () => expect(await ready(place)).toBe('True'), withinMs);
      await push();
    });

    itHealsAnExpiredCertificate(() => place);
  });
}

async function ready({ kubernetes, namespace }: UserShell): Promise<string | undefined> {
  const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
  return conditionOf(found, 'Ready')?.status;
}

/** Secrets are not watched: the operator would look after up to half a minute. */
async function touch({ kubernetes, namespace }: UserShell): Promise<void> {
  const { apiVersion, kind } = resourceTypes.Registry;
  const annotations = { touched: new Date().toISOString() };
  const metadata = { name: 'default', namespace, annotations };
  await kubernetes.apply({ apiVersion, kind, metadata }, { fieldManager: 'touch' });
}
