import { describe, expect, it } from 'vitest';

import { clusterRegistries } from '../../../test/support/cluster-registries.ts';
import { resolving, resolvingBlindly } from './test/resolving.ts';

const { minikube } = clusterRegistries;
const found = {
  provider: 'minikube',
  pushHost: 'registry.kube-system.svc:80',
  pullHost: 'localhost:5000',
  insecure: true,
  nodes: { status: 'True', reason: 'ConfiguredByCluster' },
};

describe('the provider minikube', () => {
  it('finds the add-on, and the port that nodes have', async () => {
    expect(await resolving({ provider: 'minikube' }, minikube)).toMatchObject(found);
  });

  it('goes by the well-known name where it may not look, and says so', async () => {
    const resolved = await resolvingBlindly({ provider: 'minikube' }, 'Service');
    expect(resolved).toMatchObject({ ...found, note: expect.stringContaining('not looked at') });
  });

  it('does not take another Service of that name for the add-on', async () => {
    const other = { ...minikube, metadata: { ...minikube.metadata, labels: {} } };
    await expect(resolving({ provider: 'minikube' }, other)).rejects.toMatchObject({
      reason: 'ServiceNotFound',
      message: expect.stringContaining('minikube addons enable registry'),
    });
  });
});
