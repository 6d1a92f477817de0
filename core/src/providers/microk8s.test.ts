import { describe, expect, it } from 'vitest';

import { clusterRegistries } from '../../../test/support/cluster-registries.ts';
import { resolving, resolvingBlindly } from './test/resolving.ts';

const { microk8s } = clusterRegistries;
const found = {
  provider: 'microk8s',
  pushHost: 'registry.container-registry.svc:5000',
  pullHost: 'localhost:32000',
  insecure: true,
  nodes: { status: 'True', reason: 'ConfiguredByCluster' },
};

describe('the provider microk8s', () => {
  it('finds the add-on and its node port', async () => {
    expect(await resolving({ provider: 'microk8s' }, microk8s)).toMatchObject(found);
  });

  it('goes by the well-known names where it may not look, and says so', async () => {
    const resolved = await resolvingBlindly({ provider: 'microk8s' }, 'Service');
    expect(resolved).toMatchObject({ ...found, note: expect.stringContaining('not looked at') });
  });

  it.each([
    [[], 'ServiceNotFound', /microk8s enable registry/],
    [[{ ...microk8s, spec: { ports: [{ port: 80 }] } }], 'PortNotServed', /no port 5000/],
  ])('says what is missing: %#', async (objects, reason, message) => {
    await expect(resolving({ provider: 'microk8s' }, ...objects)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });
});
