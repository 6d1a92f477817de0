import { resourceTypes } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

/** One operator for all namespaces, beside one that has its own; and what uninstalling leaves. */
export function describeOperatorScope(title: string, world: () => ClusterWorld): void {
  describe(`${title}, an operator for all namespaces`, { timeout: 180_000 }, () => {
    let [system, guest, owner]: UserShell[] = [];
    const shell = (one: UserShell | undefined): UserShell => {
      if (one === undefined) throw new Error('Cannot use a shell before it is open');
      return one;
    };
    const [atSystem, atGuest, atOwner] = [
      () => shell(system),
      () => shell(guest),
      () => shell(owner),
    ];

    beforeAll(async () => {
      const { env, namespace } = world();
      const open = (suffix: string): Promise<UserShell> =>
        openUserShell({ env, namespace: `${namespace}-${suffix}` });
      [system, guest, owner] = [await open('system'), await open('guest'), await open('owner')];
      await system.ok('reposure operator install --cluster --wait');
      await Promise.all([
        owner.ok('reposure operator install --wait'),
        ...[guest, owner].map((each) => each.ok('reposure simple install --wait')),
      ]);
    });

    afterAll(async () => {
      await system?.run('reposure operator uninstall');
      for (const each of [system, guest, owner]) await each?.close();
    });

    it('serves a namespace that has none, and leaves one alone that has', async () => {
      await Promise.all(
        [atGuest(), atOwner()].map((each) =>
          each.ok('reposure registry create default --provider=simple --wait --timeout=90s'),
        ),
      );
      const everywhere = await atSystem().ok('reposure operator logs');
      expect(everywhere).toContain(`Registry ${atGuest().namespace}/default: Ready`);
      expect(everywhere).not.toContain(`Registry ${atOwner().namespace}/`);
      const own = await atOwner().ok('reposure operator logs');
      expect(own).toContain(`Registry ${atOwner().namespace}/default: Ready`);
      expect(own).not.toContain(`Registry ${atGuest().namespace}/`);
      await atGuest().ok(
        'echo hello > hello.txt && reposure image push default team/hello hello.txt',
      );
    });

    it('is the only one of its kind', async () => {
      const second = await atGuest().run('reposure operator install --cluster');
      expect(second.status).toBe(2);
      expect(second.stderr).toContain(`there is one in ${atSystem().namespace}`);
      expect(await deploymentIn(atGuest())).toBeUndefined();
    });

    it('takes over where an operator is uninstalled, which harms nobody else', async () => {
      await atOwner().ok('reposure operator uninstall --wait');
      await atOwner().kubernetes.apply(registryWith(atOwner(), { pullHost: 'moved.test' }));
      await vi.waitFor(
        async () => {
          const { status, metadata } = await registryIn(atOwner());
          expect(status).toMatchObject({
            pullHost: 'moved.test',
            observedGeneration: metadata.generation,
          });
        },
        { timeout: 60_000, interval: 500 },
      );
      expect(await atSystem().ok('reposure operator logs')).toContain(
        `Namespace ${atOwner().namespace} has no operator of its own any more`,
      );
      await atGuest().ok('reposure image list default');
      expect(conditionOf(await registryIn(atGuest()), 'Ready')?.status).toBe('True');
    });

    it('goes with its cluster-wide bindings, and leaves the Registries', async () => {
      const { kubernetes } = atSystem();
      const bindings = (): Promise<unknown[]> =>
        Promise.all(
          [resourceTypes.ClusterRole, resourceTypes.ClusterRoleBinding].map((type) =>
            kubernetes.find(type, names.operator),
          ),
        );
      expect(await bindings()).not.toContain(undefined);
      // Another one's uninstalling takes no binding that is not its own.
      await atGuest().ok('reposure operator uninstall');
      expect(await bindings()).not.toContain(undefined);
      const said = await atSystem().run('reposure operator uninstall --wait');
      expect(said.stderr).toContain('Kept CustomResourceDefinition');
      expect(await bindings()).toEqual([undefined, undefined]);
      for (const each of [atGuest(), atOwner()]) {
        expect((await registryIn(each)).metadata.name).toBe('default');
        await each.ok('reposure image list default');
      }
    });
  });
}

function registryWith({ namespace }: UserShell, spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace },
    spec: { type: 'oci', provider: 'simple', ...spec },
  };
}

async function registryIn({ kubernetes, namespace }: UserShell): Promise<Registry> {
  return kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
}

async function deploymentIn({ kubernetes, namespace }: UserShell): Promise<unknown> {
  return kubernetes.find(resourceTypes.Deployment, names.operator, namespace);
}
