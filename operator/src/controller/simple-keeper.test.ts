import { names } from '@reposure/core/resource';
import { describe, expect, it, vi } from 'vitest';

import { readOnlySetting, readOnlyVariable } from '../../../core/src/install/simple-deployment.ts';
import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { keepSimple } from './simple-keeper.ts';

/** A simple registry that a garbage collection has left read-only. */
const abandoned = (namespace: string) => {
  const env = [{ name: readOnlyVariable, value: readOnlySetting(true) }];
  const spec = { template: { spec: { containers: [{ name: 'registry', env }], volumes: [] } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: names.simple, namespace },
    spec,
  };
};
const operatorIn = (namespace: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: names.operator, namespace },
});

/** The namespaces whose registries take pushes again after one look. */
async function mendedBy(cluster: MemoryCluster, allNamespaces: boolean): Promise<unknown[]> {
  const stop = new AbortController();
  const log = { debug: () => {}, info: () => {}, warn: vi.fn<(message: string) => void>() };
  const { signal } = stop;
  const keeping = keepSimple({ kubernetes: cluster, namespace: 'ops', allNamespaces, log, signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort();
  await keeping;
  expect(log.warn).not.toHaveBeenCalled();
  const isMended = (each: object): boolean => JSON.stringify(each).includes('\\"enabled\\":false');
  return cluster
    .of('Deployment')
    .filter(isMended)
    .map(({ metadata }) => Object(metadata).namespace);
}

describe('keepSimple()', () => {
  const cluster = (): MemoryCluster =>
    new MemoryCluster(
      ...['ops', 'shop', 'tools'].map(abandoned),
      ...['ops', 'tools'].map(operatorIn),
      operatorIn('empty'),
    );

  it('looks after its own namespace', async () => {
    expect(await mendedBy(cluster(), false)).toEqual(['ops']);
  });

  it('looks after all but those with an operator of their own', async () => {
    expect(await mendedBy(cluster(), true)).toEqual(['ops', 'shop']);
  });
});
