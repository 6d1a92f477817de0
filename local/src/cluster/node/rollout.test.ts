import { describe, expect, it } from 'vitest';

import type { Deployment, ReplicaSet } from './objects.ts';
import { nextReplicas } from './rollout.ts';

const metadata = (uid: string) => ({ name: uid, uid, resourceVersion: '1', creationTimestamp: '' });
const selector = {};
const template = { spec: { containers: [] } };

function set(uid: string, replicas: number, available: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: metadata(uid),
    spec: { replicas, selector, template },
    status: { replicas, availableReplicas: available },
  };
}

function deployment(spec: Partial<Deployment['spec']>): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('d'),
    spec: { replicas: 4, selector, template, ...spec },
  };
}

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } },
});

function next(spec: Partial<Deployment['spec']>, current: ReplicaSet, old: ReplicaSet): number[] {
  const sets = [current, old];
  const wanted = nextReplicas(deployment(spec), current, sets, (each) => each.spec.replicas ?? 0);
  return sets.map(({ metadata: { uid }, spec: { replicas = 0 } }) => wanted.get(uid) ?? replicas);
}

const recreate = { strategy: { type: 'Recreate' as const } };

describe('nextReplicas()', () => {
  it.each([
    ['grows by the surge first', rolling(1, 0), [set('new', 0, 0), set('old', 4, 4)], [1, 4]],
    ['waits for new Pods', rolling(1, 0), [set('new', 1, 0), set('old', 4, 4)], [1, 4]],
    ['lets an old Pod go', rolling(1, 0), [set('new', 1, 1), set('old', 4, 4)], [1, 3]],
    ['takes percents', rolling('50%', '25%'), [set('new', 0, 0), set('old', 4, 4)], [2, 3]],
    ['moves with no room', rolling(0, 0), [set('new', 0, 0), set('old', 4, 4)], [0, 3]],
    ['lets what fails go', rolling(1, 0), [set('new', 1, 1), set('old', 4, 1)], [1, 3]],
    ['is paused', { paused: true }, [set('new', 1, 1), set('old', 3, 3)], [1, 3]],
    ['ends all to recreate', recreate, [set('new', 0, 0), set('old', 4, 4)], [0, 0]],
    ['then starts all', recreate, [set('new', 0, 0), set('old', 0, 0)], [4, 0]],
  ] as const)('%s', (_, spec, sets, expected) => {
    expect(next(spec, ...sets)).toEqual(expected);
  });
});
