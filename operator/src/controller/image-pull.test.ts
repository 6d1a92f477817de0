import { silent } from '@reposure/core';
import { RegistrySpec } from '@reposure/core/resource';
import { expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { AppliedObjects } from './applied-objects.ts';
import { reconcile } from './reconcile.ts';
import { keyOf } from './registry-key.ts';

it('reconcile() has surrogates pulled as the operator was told', async () => {
  const cluster = new MemoryCluster({
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci', uid: 'registry-uid' },
    spec: RegistrySpec.parse({ direct: { host: 'reg.test' } }),
  } as never);
  await reconcile(keyOf('ci', 'default'), {
    kubernetes: cluster,
    applied: new AppliedObjects(),
    image: 'mirror.test/reposure:1',
    pull: { imagePullPolicy: 'Always', imagePullSecrets: ['mirror'] },
    log: silent,
    signal: new AbortController().signal,
    askSurrogate: async () => undefined,
  });
  expect(cluster.of('StatefulSet')).toMatchObject([
    {
      spec: {
        template: {
          spec: {
            imagePullSecrets: [{ name: 'mirror' }],
            containers: [{ image: 'mirror.test/reposure:1', imagePullPolicy: 'Always' }],
          },
        },
      },
    },
  ]);
});
