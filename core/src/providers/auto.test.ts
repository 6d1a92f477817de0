import { describe, expect, it } from 'vitest';

import { clusterRegistries } from '../../../test/support/cluster-registries.ts';
import { resolving, resolvingBlindly } from './test/resolving.ts';

const { minikube, microk8s, microk8sHosting, kind, k3d, openshift } = clusterRegistries;
const simple = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'reposure-simple', namespace: 'ci' },
  spec: { ports: [{ port: 5000 }] },
};

describe('the provider auto', () => {
  it.each([
    ['simple', [simple]],
    ['minikube', [minikube]],
    ['microk8s', [microk8s]],
    ['microk8s', [microk8s, microk8sHosting]],
    ['local-registry', [kind]],
    ['local-registry', [k3d]],
    ['openshift', [openshift]],
  ])('finds %s, and says by what: %#', async (provider, objects) => {
    const resolved = await resolving({ provider: 'auto' }, ...objects);
    expect(resolved).toMatchObject({
      provider,
      note: expect.stringMatching(/^auto found (Service|ConfigMap) \S+/),
    });
  });

  it('refuses to choose', async () => {
    await expect(resolving({ provider: 'auto' }, minikube, simple)).rejects.toMatchObject({
      reason: 'AmbiguousRegistry',
      message: expect.stringMatching(/want provider: simple or provider: minikube$/),
    });
  });

  it('says what it looked for in vain', async () => {
    await expect(resolving({ provider: 'auto' })).rejects.toMatchObject({
      reason: 'NothingFound',
      message: expect.stringMatching(
        /no Service ci\/reposure-simple, no Service kube-system\/registry .*local-registry-hosting/,
      ),
    });
  });

  it('says where it may not look', async () => {
    await expect(
      resolvingBlindly({ provider: 'auto' }, 'Service', 'ConfigMap'),
    ).rejects.toMatchObject({
      reason: 'NothingFound',
      message: expect.stringMatching(/not looked at, for want of rights: .*kube-system\/registry/),
    });
  });

  it('wants no other registry beside it', async () => {
    await expect(
      resolving({ provider: 'auto', direct: { host: 'a' } }, minikube),
    ).rejects.toMatchObject({ reason: 'AmbiguousRegistry' });
  });

  it('passes on what is wrong with the only one', async () => {
    await expect(resolving({ provider: 'auto' }, microk8sHosting)).rejects.toMatchObject({
      reason: 'SpecInvalid',
    });
  });
});
