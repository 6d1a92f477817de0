import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { describeSimple, podNames } from '../e2e/simple.ts';
import { makeHostVolume } from '../support/host-volume.ts';
import type { HostVolume } from '../support/host-volume.ts';
import { localAddressTo } from '../support/real-world.ts';
import { startS3Server } from '../support/s3-server.ts';
import type { S3Server } from '../support/s3-server.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

const { KUBECONFIG = '' } = process.env;
const name = `reposure-soak-${randomBytes(4).toString('hex')}`;

// A cluster is what these are about: any that KUBECONFIG names.
describe.skipIf(!KUBECONFIG)('on a real cluster', () => {
  let kubernetes: KubernetesClient;

  beforeAll(async () => {
    kubernetes = await openCluster({ kubeconfig: KUBECONFIG });
  });

  afterAll(() => {
    kubernetes?.close();
  });

  describe('at the pace of kubelets and the operator', () => {
    let volume: HostVolume;

    beforeAll(async () => {
      volume = await makeHostVolume(kubernetes, name);
    });

    afterAll(async () => {
      await volume?.close();
    });

    describeSimple('two minutes each', () => ({
      world: { env: { KUBECONFIG }, namespace: name },
      options: {
        nodeAddress: new URL(kubernetes.server).hostname,
        storage: `--storage 1Gi --storage-class ${volume.storageClass}`,
        settle: '2m',
        isHasty: false,
      },
    }));
  });

  // rclone takes minutes to build, so it is not among the tools of CI.
  describe.skipIf(!hasTool('rclone'))('images in a bucket, by rclone', () => {
    const login = { id: 'reposure', key: randomBytes(16).toString('hex') };
    let directory: string;
    let server: S3Server;
    let shell: UserShell;

    beforeAll(async () => {
      const { hostname, port } = new URL(kubernetes.server);
      directory = await mkdtemp(join(tmpdir(), 'bucket-'));
      server = await startS3Server(directory, await localAddressTo(hostname, Number(port)), login);
      shell = await openUserShell({ env: { KUBECONFIG }, namespace: `${name}-s3` });
      await shell.kubernetes.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's3', namespace: shell.namespace },
        stringData: { AWS_ACCESS_KEY_ID: login.id, AWS_SECRET_ACCESS_KEY: login.key },
      });
      await Promise.all([
        shell.ok('reposure operator install --wait'),
        shell.ok(
          `reposure simple install --tls --login --s3-bucket ${server.bucket} --s3-endpoint ${server.endpoint} --s3-secret s3 --replicas 2 --wait`,
        ),
      ]);
      await shell.ok('reposure registry create default --provider=simple --wait');
    });

    afterAll(async () => {
      await shell?.close();
      await server?.close();
      await rm(directory, { recursive: true, force: true });
    });

    it('takes and gives images, with Pods that are ended one after the other', async () => {
      const { ok, run, namespace } = shell;
      const content = randomBytes(150_000_000);
      await writeFile(join(shell.directory, 'big.bin'), content);
      const ending = new AbortController();
      const killing = endPodsUntil(ending.signal, shell);
      const pushes: number[] = [];
      try {
        for (let i = 0; i < 5; i++) {
          await writeFile(join(shell.directory, 'big.bin'), Buffer.concat([Buffer.of(i), content]));
          const { status } = await run(`reposure image push default team/big:${i} big.bin`);
          pushes.push(status);
        }
      } finally {
        ending.abort();
      }
      expect(await killing).toBeGreaterThan(1);
      expect(pushes).toEqual([0, 0, 0, 0, 0]);
      await ok('reposure image pull default team/big:4 --unpack > pulled.bin');
      await ok('cmp big.bin pulled.bin');
      const { PodDisruptionBudget } = resourceTypes;
      await kubernetes.get(PodDisruptionBudget, 'reposure-simple', namespace);
    });

    it('collects garbage from the bucket', async () => {
      const { ok } = shell;
      const before = await blobsOf(directory);
      await ok('reposure image delete default team/big:0 --digest');
      await ok('reposure simple gc --timeout 5m');
      expect((await blobsOf(directory)).length).toBeLessThan(before.length);
      await ok('reposure image push default team/big:5 big.bin');
    });

    it('keeps its secrets in Secrets', async () => {
      const { items } = await kubernetes.list(resourceTypes.Pod, { namespace: shell.namespace });
      expect(JSON.stringify(items)).not.toContain(login.key);
      expect(await shell.ok('reposure simple logs')).not.toContain(login.key);
    });
  });
});

/** Deletes one Pod of the registry after the other. @returns how many. */
async function endPodsUntil(signal: AbortSignal, shell: UserShell): Promise<number> {
  const { kubernetes, namespace } = shell;
  let ended = 0;
  while (!signal.aborted) {
    await delay(5000, undefined, { signal }).catch(() => {});
    const [pod] = await podNames(shell);
    if (pod === undefined || signal.aborted) continue;
    await kubernetes.delete(resourceTypes.Pod, pod, namespace);
    ended += 1;
  }
  return ended;
}

async function blobsOf(directory: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true });
  return files.filter((file) => /\/blobs\/.*\/data$/.test(file));
}
