import { describe, expect, it } from 'vitest';

import { clusterRegistries, hostingOf } from '../../../test/support/cluster-registries.ts';
import { resolving, resolvingBlindly } from './test/resolving.ts';

const { kind, k3d, microk8sHosting } = clusterRegistries;

describe('the providers of KEP-1755', () => {
  it.each([
    ['kind', kind, 'kind-registry:5000', 'localhost:5001'],
    ['local-registry', kind, 'kind-registry:5000', 'localhost:5001'],
    ['k3d', k3d, 'k3d-sample-registry:5000', 'k3d-sample-registry:5000'],
    ['local-registry', k3d, 'k3d-sample-registry:5000', 'k3d-sample-registry:5000'],
  ])('%s reads the ConfigMap: %#', async (provider, hosting, pushHost, pullHost) => {
    expect(await resolving({ provider }, hosting)).toMatchObject({
      provider,
      pushHost,
      pullHost,
      insecure: true,
      nodes: { status: 'True', reason: 'ConfiguredByCluster' },
    });
  });

  it('speaks TLS where a certificate is named', async () => {
    const resolved = await resolving({ provider: 'k3d', tlsSecret: 'ca' }, k3d);
    expect(resolved.insecure).toBe(false);
  });

  it.each([
    ['is not there', undefined, 'ServiceNotFound', /no ConfigMap kube-public/],
    ['does not say how Pods reach it', microk8sHosting, 'SpecInvalid', /hostFromClusterNetwork/],
    ['is no YAML', hostingOf('host: ['), 'SpecInvalid', /no document/],
    ['is no document', hostingOf('- a'), 'SpecInvalid', /no document/],
    ['is empty', hostingOf(''), 'SpecInvalid', /no document/],
    [
      'names a URL with a password',
      hostingOf('hostFromClusterNetwork: http://me:secret@reg:5000'),
      'HostInvalid',
      /hostFromClusterNetwork is "http:\/\/\*\*\*@reg:5000"/,
    ],
  ])('say that the ConfigMap %s', async (_, hosting, reason, message) => {
    const objects = hosting === undefined ? [] : [hosting];
    await expect(resolving({ provider: 'local-registry' }, ...objects)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('say how to let the operator read it', async () => {
    await expect(resolvingBlindly({ provider: 'kind' }, 'ConfigMap')).rejects.toMatchObject({
      reason: 'NotPermitted',
      message: expect.stringMatching(
        /kubectl create role reposure-operator-ci -n kube-public .*--resource-name=local-registry-hosting && kubectl create rolebinding .*--serviceaccount=ci:reposure-operator$/,
      ),
    });
  });
});
