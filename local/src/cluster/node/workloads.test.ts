import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { StoredObject } from '../api/object.ts';
import { scriptImage, startTestNode } from './test/node.ts';
import type { TestNode } from './test/node.ts';

const forever = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;

let cluster: TestNode;
beforeEach(async () => {
  cluster = await startTestNode();
});
afterEach(async () => {
  await cluster.close();
});

function workload(kind: string, name: string, spec: Record<string, unknown>, script = forever) {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: template(name, script),
      ...spec,
    },
  };
}

function template(name: string, script: string, image = scriptImage) {
  return {
    metadata: { labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image, command: ['script', script] }],
    },
  };
}

const deployments = 'deployments.apps';
const statefulSets = 'statefulsets.apps';
const find = (resource: string, name: string): StoredObject | undefined =>
  cluster.store.peek(resource, 'default', name);
const status = (resource: string, name: string): Record<string, unknown> =>
  (find(resource, name)?.['status'] ?? {}) as Record<string, unknown>;
const pods = (): StoredObject[] => cluster.store.peekAll('pods', 'default');
const scriptOf = (pod: StoredObject): string =>
  (pod as unknown as { spec: ReturnType<typeof template>['spec'] }).spec.containers[0]
    ?.command[1] ?? '';

function change(resource: string, name: string, spec: Record<string, unknown>): void {
  const current = cluster.store.get(resource, 'default', name) as StoredObject;
  cluster.store.update(resource, { ...current, spec: { ...(current['spec'] as object), ...spec } });
}

async function rolledOut(resource: string, name: string, replicas: number): Promise<void> {
  await cluster.until(() => {
    const now = status(resource, name);
    const isCurrent = now['observedGeneration'] === find(resource, name)?.metadata.generation;
    const counts = [now['replicas'], now['updatedReplicas'], now['availableReplicas']];
    return isCurrent && counts.every((count) => count === replicas);
  }, `${resource} ${name} rolled out`);
}

describe('a Deployment', () => {
  it('becomes available, with a ReplicaSet between it and its Pods', async () => {
    cluster.store.create(deployments, workload('Deployment', 'web', {}));
    await rolledOut(deployments, 'web', 2);
    expect(status(deployments, 'web')['conditions']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'Available', status: 'True' }),
        expect.objectContaining({
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
        }),
      ]),
    );
    const [set] = cluster.store.peekAll('replicasets.apps');
    expect(set?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Deployment', name: 'web' });
    for (const pod of pods()) {
      expect(pod.metadata.ownerReferences?.[0]).toMatchObject({ uid: set?.metadata.uid });
    }
  });

  it.each(['RollingUpdate', 'Recreate'])('moves to a new template by %s', async (type) => {
    const made = workload('Deployment', 'web', { strategy: { type } });
    cluster.store.create(deployments, made);
    await rolledOut(deployments, 'web', 2);
    const script = `/* new */ ${forever}`;
    change(deployments, 'web', { template: template('web', script) });
    await rolledOut(deployments, 'web', 2);
    await cluster.until(() => pods().length === 2);
    expect(pods().map(scriptOf)).toEqual([script, script]);
    expect(find(deployments, 'web')?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '2',
    });
  });

  it('keeps what works while the new template does not', async () => {
    cluster.store.create(deployments, workload('Deployment', 'web', { replicas: 1 }));
    await rolledOut(deployments, 'web', 1);
    const [before] = pods();
    change(deployments, 'web', { template: template('web', '', 'missing:1') });
    await cluster.until(() => pods().length === 2);
    await cluster.until(() =>
      cluster.store.peekAll('events').some((each) => each['reason'] === 'BackOff'),
    );
    expect(pods().map(({ metadata }) => metadata.uid)).toContain(before?.metadata.uid);
    expect(status(deployments, 'web')).toMatchObject({ availableReplicas: 1, updatedReplicas: 1 });
  });

  it('says when it is too late', async () => {
    const made = workload('Deployment', 'web', {
      progressDeadlineSeconds: 1,
      template: template('web', '', 'missing:1'),
    });
    cluster.store.create(deployments, made);
    const conditions = await cluster.until(() => {
      const found = status(deployments, 'web')['conditions'] as { reason?: string }[] | undefined;
      return found?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') && found;
    });
    expect(conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'Progressing', status: 'False' })]),
    );
  });

  it('replaces a deleted Pod, scales, and takes its Pods with it', async () => {
    cluster.store.create(deployments, workload('Deployment', 'web', {}));
    await rolledOut(deployments, 'web', 2);
    const [first] = pods();
    cluster.store.delete('pods', 'default', first?.metadata.name ?? '');
    await cluster.until(() => pods().every(({ metadata }) => metadata.uid !== first?.metadata.uid));
    await rolledOut(deployments, 'web', 2);
    change(deployments, 'web', { replicas: 1 });
    await rolledOut(deployments, 'web', 1);
    cluster.store.delete(deployments, 'default', 'web');
    expect(await cluster.until(() => pods().length === 0)).toBe(true);
  });
});

describe('a StatefulSet', () => {
  it('has Pods of fixed names, made in order, with a name in its Service', async () => {
    cluster.store.create(
      statefulSets,
      workload('StatefulSet', 'db', {
        serviceName: 'db',
        volumeClaimTemplates: [
          { metadata: { name: 'disk' }, spec: { accessModes: ['ReadWriteOnce'] } },
        ],
      }),
    );
    await rolledOut(statefulSets, 'db', 2);
    expect(pods().map(({ metadata }) => metadata.name)).toEqual(['db-0', 'db-1']);
    expect(
      cluster.store.peekAll('persistentvolumeclaims').map(({ metadata }) => metadata.name),
    ).toEqual(['disk-db-0', 'disk-db-1']);
  });

  it('makes a deleted Pod again under its name', async () => {
    cluster.store.create(statefulSets, workload('StatefulSet', 'db', { replicas: 1 }));
    await rolledOut(statefulSets, 'db', 1);
    const before = find('pods', 'db-0')?.metadata.uid;
    cluster.store.delete('pods', 'default', 'db-0');
    await cluster.until(
      () => find('pods', 'db-0') && find('pods', 'db-0')?.metadata.uid !== before,
    );
    await rolledOut(statefulSets, 'db', 1);
    expect(pods().map(({ metadata }) => metadata.name)).toEqual(['db-0']);
  });

  it('replaces its Pods for a new template, each after the old one has ended', async () => {
    cluster.store.create(statefulSets, workload('StatefulSet', 'db', {}));
    await rolledOut(statefulSets, 'db', 2);
    let most = 0;
    const unsubscribe = cluster.store.subscribe(() => {
      most = Math.max(most, pods().length);
    });
    const script = `/* new */ ${forever}`;
    change(statefulSets, 'db', { template: template('db', script) });
    await cluster.until(
      () => pods().length === 2 && pods().every((pod) => scriptOf(pod) === script),
    );
    await rolledOut(statefulSets, 'db', 2);
    unsubscribe();
    expect(most).toBe(2);
    const { currentRevision, updateRevision } = status(statefulSets, 'db');
    expect(currentRevision).toBe(updateRevision);
  });
});
