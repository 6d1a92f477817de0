import { silent } from '@reposure/core';
import type { KubernetesObject, WatchEvent } from '@reposure/core/kubernetes';
import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { OtherOperators } from './other-operators.ts';

function deploymentIn(namespace: string): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'reposure-operator', namespace },
  };
}

/** Follows a cluster in which some are there, and then something happens. */
async function followed(
  there: readonly string[],
  ...events: readonly WatchEvent<KubernetesObject>[]
): Promise<{ others: OtherOperators; freed: string[] }> {
  const cluster = new MemoryCluster(...there.map(deploymentIn));
  const stop = new AbortController();
  const others = new OtherOperators();
  const freed: string[] = [];
  const watch = async function* (): AsyncGenerator<WatchEvent<KubernetesObject>, void> {
    yield* events;
    stop.abort();
  };
  const kubernetes = Object.assign(cluster, { watch });
  const onSynced = (): void => {
    others.leave('theirs/a');
    others.leave('theirs/b');
  };
  await others.follow(
    {
      kubernetes,
      namespace: 'own',
      log: silent,
      signal: stop.signal,
      onFreed: (key) => freed.push(key),
    },
    onSynced,
  );
  return { others, freed };
}

describe('OtherOperators', () => {
  it('leaves alone the namespaces that have one, but never its own', async () => {
    const { others } = await followed(['own', 'theirs']);
    expect(others.leave('theirs/a')).toBe(true);
    expect(others.leave('own/a')).toBe(false);
    expect(others.leave('nobodys/a')).toBe(false);
  });

  it('leaves a namespace as soon as it gets one', async () => {
    const { others } = await followed([], { type: 'ADDED', object: deploymentIn('new') });
    expect(others.leave('new/a')).toBe(true);
  });

  it('gets back, once, what it left when the other one goes', async () => {
    const gone = { type: 'DELETED', object: deploymentIn('theirs') } as const;
    const { others, freed } = await followed(['theirs'], gone, gone);
    expect(freed).toEqual(['theirs/a', 'theirs/b']);
    expect(others.leave('theirs/a')).toBe(false);
  });
});
