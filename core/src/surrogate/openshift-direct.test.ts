import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

import { expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import type { Registry } from '../resource/registry.ts';
import { ownToken, serviceCaOf } from './openshift-direct.ts';

const registry: Registry = {
  apiVersion: 'reposure.puccini.cloud/v1alpha1',
  kind: 'Registry',
  metadata: { name: 'default', namespace: 'ci' },
  spec: { type: 'oci', provider: 'openshift' },
};

it('shows the own token to OpenShift’s registry, as it is now, and to nobody else', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'token-'));
  const file = join(directory, 'token');
  const credentials = ownToken(file);
  const host = 'image-registry.openshift-image-registry.svc:5000';
  try {
    expect(await credentials(host)).toBeUndefined();
    for (const token of ['first', 'second']) {
      await writeFile(file, `${token}\n`);
      expect(await credentials(host)).toEqual({ kind: 'bearer', token });
    }
    expect(await credentials('evil.test')).toBeUndefined();
    expect(await credentials(`${host}.evil.test`)).toBeUndefined();
  } finally {
    await rm(directory, { recursive: true });
  }
});

it('trusts nobody before OpenShift has filled the ConfigMap', async () => {
  const [certificate = ''] = rootCertificates;
  const configMap = (text: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'reposure-surrogate-default-service-ca', namespace: 'ci' },
    data: { 'service-ca.crt': text },
  });
  const kubernetes = new MemoryCluster(configMap(''));
  await expect(serviceCaOf({ kubernetes, registry })).rejects.toThrow(/has not filled/);
  await kubernetes.apply(configMap(certificate));
  expect(await serviceCaOf({ kubernetes, registry })).toBe(certificate);
});
