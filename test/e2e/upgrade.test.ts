import { readFile } from 'node:fs/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

/** As the predecessor's `createRegistryCustomResourceDefinition` makes it. */
const definition = new URL('predecessor-crd.yaml', import.meta.url);
/** Other labels, with a version among them, and so another selector. */
const labels = {
  'app.kubernetes.io/name': 'reposure-operator',
  'app.kubernetes.io/instance': 'reposure-operator-old',
  'app.kubernetes.io/version': '0.2.0',
};

/** Replaces a real cluster's CRD for a moment: there, run it alone. */
const { REPOSURE_UPGRADE_KUBECONFIG: real } = process.env;

describe.skipIf(!hasTool('kubectl'))('a cluster with the predecessor', { timeout: 120_000 }, () => {
  let world: EmbeddedWorld | undefined;
  let place: UserShell;

  beforeAll(async () => {
    world = real ? undefined : await startEmbeddedWorld();
    place = await openUserShell({
      env: world?.env ?? { KUBECONFIG: real ?? '' },
      namespace: 'old',
    });
    const { kubernetes, namespace, ok } = place;
    await ok(`kubectl apply --server-side --force-conflicts -f ${definition.pathname}`);
    for (const object of leftBehind(namespace)) await kubernetes.create(object);
    await ok('reposure simple install --authentication --wait');
    const served = () => kubernetes.list(resourceTypes.Registry, { namespace });
    await vi.waitFor(served, { timeout: 20_000, interval: 200 });
    for (const registry of registriesIn(namespace)) await kubernetes.create(registry);
  });

  afterAll(async () => {
    await place?.run('reposure operator uninstall');
    await place?.close();
    await world?.close();
  });

  it('has a definition that knows nothing of what is new', async () => {
    const text = await readFile(definition, 'utf8');
    expect(text).not.toMatch(/loginSecret|conditions/);
    expect(parse(text)).toMatchObject({ metadata: { name: 'registries.reposure.puccini.cloud' } });
  });

  it('is upgraded by operator install: its Registries are kept, and work', async () => {
    const { kubernetes, namespace, ok } = place;
    const before = await uidsIn(place);
    await ok('reposure operator install --wait');
    await ok('kubectl wait --for=condition=Ready registry/indirect registry/direct --timeout=90s');
    expect(await uidsIn(place)).toEqual(before);
    await ok('echo hello > hello.txt && reposure image push indirect team/hello hello.txt');
    expect(await ok('reposure image pull indirect team/hello --unpack')).toBe('hello\n');
    const { spec, status } = await kubernetes.get<Registry>(
      resourceTypes.Registry,
      'indirect',
      namespace,
    );
    expect(spec).toMatchObject({ type: 'oci', indirect: { service: names.simple, port: 5000 } });
    expect(status?.surrogatePod).toBe(names.surrogatePod('indirect'));
    expect(await ok('kubectl get reg')).toMatch(/PUSH-HOST.*READY/);
  });

  it('keeps nothing of the earlier operator that could do harm', async () => {
    const { kubernetes, namespace } = place;
    for (const { kind, metadata } of leftBehind(namespace)) {
      if (kind === 'Deployment') continue;
      const type = Object.values(resourceTypes).find((each) => each.kind === kind);
      if (type === undefined) throw new Error(`Cannot look for a ${kind}`);
      await vi.waitFor(
        async () => {
          expect([kind, await kubernetes.find(type, metadata.name, namespace)]).toEqual([
            kind,
            undefined,
          ]);
        },
        { timeout: 40_000, interval: 500 },
      );
    }
  });
});

async function uidsIn({ kubernetes, namespace }: UserShell): Promise<unknown[]> {
  const { items } = await kubernetes.list(resourceTypes.Registry, { namespace });
  return items.map(({ metadata }) => [metadata.name, metadata.uid]);
}

function registriesIn(namespace: string): KubernetesObject[] {
  const registry = (name: string, spec: object): KubernetesObject => ({
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace },
    spec: { type: 'oci', authenticationSecret: names.simpleTls, ...spec },
  });
  const host = `${names.simple}.${namespace}.svc:5000`;
  return [
    registry('indirect', { indirect: { namespace, service: names.simple, port: 5000 } }),
    registry('direct', { direct: { host } }),
  ];
}

/** @see https://github.com/tliron/reposure/blob/main/client/admin/operator.go */
function leftBehind(namespace: string): KubernetesObject[] {
  const rbac = 'rbac.authorization.k8s.io';
  const spec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'c',
        image: 'docker.io/tliron/reposure-operator:0.2.0',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
  const named = (apiVersion: string, kind: string, rest: object): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name: 'reposure', namespace, labels },
    ...rest,
  });
  return [
    named('v1', 'ServiceAccount', {}),
    named(`${rbac}/v1`, 'Role', {
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    }),
    named(`${rbac}/v1`, 'RoleBinding', {
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'reposure' },
      subjects: [{ kind: 'ServiceAccount', name: 'reposure', namespace }],
    }),
    {
      ...named('apps/v1', 'Deployment', {
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec },
        },
      }),
      metadata: { name: 'reposure-operator', namespace, labels },
    },
    {
      ...named('v1', 'Pod', { spec }),
      metadata: { name: 'reposure-surrogate-indirect', namespace },
    },
  ];
}
