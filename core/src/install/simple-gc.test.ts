import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import {
  findSimple,
  isReadOnly,
  readOnlySetting,
  readOnlyVariable,
  withSetting,
} from './simple-deployment.ts';
import { collectionJob, endOfJob, jobType } from './simple-gc-job.ts';
import { collectGarbage, endAbandonedCollection } from './simple-gc.ts';
import { installSimple } from './simple-install.ts';

const namespace = 'ci';
const storage = { kind: 'volume', size: '1Gi' } as const;
const hourMs = 60 * 60_000;

async function deploymentOf(cluster: MemoryCluster) {
  const deployment = await findSimple(cluster, namespace);
  if (deployment === undefined) throw new Error('no Deployment');
  return deployment;
}

async function makeReadOnly(cluster: MemoryCluster): Promise<void> {
  const deployment = await deploymentOf(cluster);
  await cluster.replace(withSetting(deployment, readOnlyVariable, readOnlySetting(true)));
}

describe('collectionJob()', () => {
  it('runs the registry’s image on its images, next to it, with nothing that only a server needs', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, storage, tls: { from: 'own-ca' }, login: true });
    const job = collectionJob(await deploymentOf(cluster), {
      deleteUntagged: true,
      dryRun: true,
      timeoutMs: 60_000,
    });
    expect(job.spec).toMatchObject({
      suspend: true,
      activeDeadlineSeconds: 60,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          containers: [
            {
              image: 'docker.io/library/registry:3',
              command: [
                'registry',
                'garbage-collect',
                '--delete-untagged',
                '--dry-run',
                '/etc/reposure/config/config.yml',
              ],
              securityContext: { allowPrivilegeEscalation: false },
            },
          ],
          affinity: { podAffinity: expect.anything() },
        },
      },
    });
    const text = JSON.stringify(job);
    expect(text).not.toMatch(/REGISTRY_HTTP|REGISTRY_AUTH|authentication|htpasswd|Probe|preStop/);
    // Or the Service would send requests to it.
    expect(text).not.toContain(
      '"app.kubernetes.io/name":"reposure-simple","app.kubernetes.io/component"',
    );
  });
});

describe('collectGarbage()', () => {
  const options = { namespace, timeoutMs: 1000 };

  it('refuses where images are in the Pod alone, and changes nothing', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace });
    await expect(collectGarbage(cluster, options)).rejects.toThrow(
      /in the Pod alone.*want --storage/,
    );
    expect(cluster.of('Job')).toEqual([]);
    expect(isReadOnly(await deploymentOf(cluster))).toBe(false);
  });

  it('refuses to delete what Distribution 2 takes for untagged', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, storage, image: 'registry:2.8.3' });
    const asked = { ...options, deleteUntagged: true };
    await expect(collectGarbage(cluster, asked)).rejects.toThrow(/several platforms/);
  });

  it('refuses a second one, and another install meanwhile', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, storage });
    await cluster.create(collectionJob(await deploymentOf(cluster), options));
    await expect(collectGarbage(cluster, options)).rejects.toThrow(/is under way/);
    await expect(installSimple(cluster, { namespace, storage })).rejects.toThrow(/being collected/);
  });

  it('says that there is no registry', async () => {
    await expect(collectGarbage(new MemoryCluster(), options)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('endAbandonedCollection()', () => {
  async function readOnlyCluster(): Promise<MemoryCluster> {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, storage });
    await makeReadOnly(cluster);
    return cluster;
  }

  it('takes pushes again where there is no Job any more', async () => {
    const cluster = await readOnlyCluster();
    expect(await endAbandonedCollection(cluster, namespace)).toBe(true);
    expect(isReadOnly(await deploymentOf(cluster))).toBe(false);
    expect(await endAbandonedCollection(cluster, namespace)).toBe(false);
  });

  it.each([
    ['runs', { suspended: false, condition: undefined, ageMs: 0 }, true],
    ['runs for long', { suspended: false, condition: undefined, ageMs: 10 * hourMs }, true],
    ['is about to begin', { suspended: true, condition: undefined, ageMs: 0 }, true],
    ['never began', { suspended: true, condition: undefined, ageMs: 2 * hourMs }, false],
    ['is complete', { suspended: false, condition: 'Complete', ageMs: 0 }, false],
    ['has failed', { suspended: false, condition: 'Failed', ageMs: 0 }, false],
  ])('the Job %s', async (_, { suspended, condition, ageMs }, isLeft) => {
    const cluster = await readOnlyCluster();
    const job = collectionJob(await deploymentOf(cluster), { timeoutMs: 1000 });
    const conditions = condition ? [{ type: condition, status: 'True' }] : [];
    const creationTimestamp = new Date(Date.now() - ageMs).toISOString();
    const metadata = { ...job.metadata, creationTimestamp };
    await cluster.create({
      ...job,
      metadata,
      spec: { ...job.spec, suspend: suspended },
      status: { conditions },
    });
    await endAbandonedCollection(cluster, namespace);
    expect(isReadOnly(await deploymentOf(cluster))).toBe(isLeft);
  });
});

describe('endOfJob()', () => {
  it('is none for one that is suspended', () => {
    const metadata = { name: 'x' };
    const conditions = [{ type: 'Suspended', status: 'True' }];
    const { apiVersion, kind } = jobType;
    expect(endOfJob({ apiVersion, kind, metadata, status: { conditions } })).toBeUndefined();
  });
});
