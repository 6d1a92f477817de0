import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

/** What SECURITY.md says that `registry pull-secret` takes; of the namespaces of Registry and Pods. */
const rights = [
  'tools reposure.puccini.cloud registries get',
  'tools core secrets get',
  'shop core secrets get',
  'shop core secrets create',
  'shop core secrets patch',
  'shop core serviceaccounts get',
  'shop core serviceaccounts update',
];
const give = 'registry pull-secret secure --for-namespace shop --service-account default';

let embedded: EmbeddedWorld;
let place: UserShell;

describe.skipIf(!hasTool('kubectl'))('registry pull-secret (needs kubectl)', () => {
  let caller: string;

  beforeAll(async () => {
    embedded = await startEmbeddedWorld();
    place = await openUserShell({ env: embedded.env, namespace: 'tools' });
    const { ok, kubeconfigOf } = place;
    await ok('kubectl create namespace shop');
    await ok('reposure operator install --wait');
    await ok(
      'kubectl create secret docker-registry login --docker-server=localhost:30500 --docker-username=ann --docker-password=hunter2',
    );
    await ok('reposure registry create secure --host localhost:30500 --login-secret login');
    await ok(`kubectl wait registry/secure --for=jsonpath='{.status.pullHost}'=localhost:30500`);
    await ok('kubectl create serviceaccount caller');
    const token = (await ok('kubectl create token caller')).trim();
    caller = `reposure --kubeconfig=${await kubeconfigOf('caller', { token })}`;
  });

  afterAll(async () => {
    await place.close();
    await embedded.close();
  });

  /** Gives the caller these rights and no others, and takes away what was made before. */
  async function allow(granted: readonly string[]): Promise<void> {
    const { kubernetes, ok } = place;
    await ok(`reposure ${give} --remove`);
    for (const namespace of ['tools', 'shop']) {
      for (const object of roleIn(namespace, granted)) await kubernetes.apply(object);
    }
  }

  async function pullsOf(): Promise<unknown> {
    const { ServiceAccount } = resourceTypes;
    const account = await place.kubernetes.get<KubernetesObject>(ServiceAccount, 'default', 'shop');
    return account['imagePullSecrets'] ?? [];
  }

  it('takes the rights that are documented, and its output has no secret', async () => {
    await allow(rights);
    for (const [format, expected] of [
      ['-o json', '"state": "created"'],
      ['', 'Secret shop/reposure-pull-secure unchanged'],
    ] as const) {
      const { status, stdout, stderr } = await place.run(`${caller} ${give} ${format} --verbose`);
      const output = `${stdout.toString()}${stderr}`;
      expect(output).toContain(expected);
      expect(output).not.toMatch(/hunter2|aHVudGVyMg|YW5uOmh1bnRlcjI/);
      expect(status).toBe(0);
    }
    expect(await pullsOf()).toEqual([{ name: 'reposure-pull-secure' }]);
    const config = await place.ok(
      `kubectl get secret reposure-pull-secure -n shop -o 'go-template={{index .data ".dockerconfigjson"|base64decode}}'`,
    );
    expect(JSON.parse(config)).toMatchObject({ auths: { 'localhost:30500': { username: 'ann' } } });
  });

  it.each(rights)('does without none of them: %s', async (missing) => {
    await allow(rights.filter((right) => right !== missing));
    const { status, stderr } = await place.run(`${caller} ${give}`);
    expect(stderr).toMatch(/forbidden/i);
    expect(status).toBe(1);
    expect(await pullsOf()).toEqual([]);
  });

  it('is taken back with the right to delete Secrets, and not without it', async () => {
    await allow(rights);
    await place.ok(`${caller} ${give}`);
    expect(await place.run(`${caller} ${give} --remove`)).toMatchObject({ status: 1 });
    const deleting = [...rights, 'shop core secrets delete'];
    for (const object of roleIn('shop', deleting)) await place.kubernetes.apply(object);
    await place.ok(`${caller} ${give} --remove`);
    expect(await pullsOf()).toEqual([]);
    const { Secret } = resourceTypes;
    expect(await place.kubernetes.find(Secret, 'reposure-pull-secure', 'shop')).toBeUndefined();
  });
});

function roleIn(namespace: string, granted: readonly string[]): KubernetesObject[] {
  const metadata = { name: 'caller', namespace };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = granted
    .map((right) => right.split(' '))
    .filter(([where]) => where === namespace)
    .map(([, group, resource, verb]) => ({
      apiGroups: [group === 'core' ? '' : group],
      resources: [resource],
      verbs: [verb],
    }));
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'caller' },
      subjects: [{ kind: 'ServiceAccount', name: 'caller', namespace: 'tools' }],
    },
  ];
}
