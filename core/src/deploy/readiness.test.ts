import { describe, expect, it } from 'vitest';

import { isWaitable, readinessOf } from './readiness.ts';

const of = (apiVersion: string, kind: string, spec: object, status?: object) => ({
  apiVersion,
  kind,
  metadata: { name: 'x', generation: 2 },
  spec,
  ...(status && { status }),
});
const deployment = (status: object, spec: object = {}) =>
  of('apps/v1', 'Deployment', { replicas: 2, ...spec }, { observedGeneration: 2, ...status });
const statefulSet = (status: object, spec: object = {}) =>
  of(
    'apps/v1',
    'StatefulSet',
    { replicas: 2, ...spec },
    { observedGeneration: 2, currentRevision: 'a', updateRevision: 'b', ...status },
  );
const all = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const condition = (type: string, status: string, more: object = {}) => ({
  conditions: [{ type, status, ...more }],
});

describe('readinessOf()', () => {
  it.each([
    ['ready', 'a Deployment that is through', deployment(all)],
    ['ready', 'one of no Pods', deployment({}, { replicas: 0 })],
    ['ready', 'one that is paused', deployment({ updatedReplicas: 0 }, { paused: true })],
    ['waiting', 'one that nobody has seen', of('apps/v1', 'Deployment', {})],
    ['waiting', 'one whose change nobody has seen', deployment({ ...all, observedGeneration: 1 })],
    ['waiting', 'one with an old Pod', deployment({ ...all, replicas: 3 })],
    [
      'waiting',
      'one whose only available Pod is old',
      deployment({ ...all, replicas: 2, updatedReplicas: 1 }),
    ],
    ['waiting', 'one whose Pods are not available', deployment({ ...all, availableReplicas: 1 })],
    [
      'failed',
      'one that is late',
      deployment(condition('Progressing', 'False', { reason: 'ProgressDeadlineExceeded' })),
    ],
    ['ready', 'a StatefulSet that is through', statefulSet({ ...all, currentRevision: 'b' })],
    ['waiting', 'one half through', statefulSet({ ...all, updatedReplicas: 1 })],
    [
      'ready',
      'one that is through up to its partition',
      statefulSet(
        { ...all, updatedReplicas: 1 },
        { updateStrategy: { rollingUpdate: { partition: 1 } } },
      ),
    ],
    [
      'ready',
      'one whose Pods a person deletes',
      statefulSet({ replicas: 2 }, { updateStrategy: { type: 'OnDelete' } }),
    ],
    [
      'waiting',
      'one with a Pod that is not ready',
      statefulSet({ ...all, readyReplicas: 1, currentRevision: 'b' }),
    ],
    ['ready', 'a DaemonSet on no node', of('apps/v1', 'DaemonSet', {}, { observedGeneration: 2 })],
    [
      'waiting',
      'a DaemonSet with an old Pod',
      of(
        'apps/v1',
        'DaemonSet',
        {},
        {
          observedGeneration: 2,
          desiredNumberScheduled: 2,
          updatedNumberScheduled: 1,
          numberAvailable: 2,
        },
      ),
    ],
    ['waiting', 'a Job that runs', of('batch/v1', 'Job', {}, { active: 1 })],
    ['ready', 'a Job that is done', of('batch/v1', 'Job', {}, condition('Complete', 'True'))],
    [
      'failed',
      'a Job that has failed',
      of('batch/v1', 'Job', {}, condition('Failed', 'True', { message: 'too often' })),
    ],
    ['ready', 'a Job that is suspended', of('batch/v1', 'Job', { suspend: true })],
    ['failed', 'a Pod that has failed', of('v1', 'Pod', {}, { phase: 'Failed' })],
    ['ready', 'a custom kind that says nothing', of('example.test/v1', 'Tool', {})],
    [
      'waiting',
      'one that says it is not ready',
      of('example.test/v1', 'Tool', {}, condition('Ready', 'False')),
    ],
    [
      'waiting',
      'one that speaks of the past',
      of('example.test/v1', 'Tool', {}, condition('Ready', 'True', { observedGeneration: 1 })),
    ],
    [
      'failed',
      'one that is stalled',
      of('example.test/v1', 'Tool', {}, condition('Stalled', 'True')),
    ],
  ])('is %s for %s', (state, _, object) => {
    expect(readinessOf(object)).toMatchObject({ state });
  });

  it('is not asked of what never becomes anything', () => {
    const kinds = [
      ['v1', 'ConfigMap'],
      ['batch/v1', 'CronJob'],
      ['rbac.authorization.k8s.io/v1', 'Role'],
      ['v1', 'PersistentVolumeClaim'],
    ];
    for (const [apiVersion = '', kind = ''] of kinds) {
      expect(isWaitable(of(apiVersion, kind, {}))).toBe(false);
    }
    expect(isWaitable(of('example.test/v1', 'Tool', {}))).toBe(true);
  });
});
