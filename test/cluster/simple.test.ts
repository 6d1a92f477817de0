import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { describeSimple, podNames } from '../e2e/simple.ts';
import { makeHostVolume } from '../support/host-volume.ts';
import type { HostVolume } from '../support/host-volume.ts';

const { KUBECONFIG = '' } = process.env;
const name = `reposure-simple-${randomBytes(4).toString('hex')}`;
let kubernetes: KubernetesClient;
let volume: HostVolume;

beforeAll(async () => {
  kubernetes = await openCluster({ kubeconfig: KUBECONFIG });
  volume = await makeHostVolume(kubernetes, name);
});

afterAll(async () => {
  await volume?.close();
  kubernetes?.close();
});

describeSimple(
  'real cluster',
  () => ({
    world: { env: { KUBECONFIG }, namespace: name },
    options: {
      nodeAddress: new URL(kubernetes.server).hostname,
      storage: `--storage 1Gi --storage-class ${volume.storageClass}`,
      settle: '20s',
      isHasty: true,
    },
  }),
  (place) => {
    it('collects garbage, and takes pushes afterwards', async () => {
      const { ok, directory } = place();
      const size = 3_000_000;
      await writeFile(join(directory, 'garbage.bin'), randomBytes(size));
      const push = 'reposure image push default team/garbage:1 garbage.bin -o json';
      await ok(push);
      await writeFile(join(directory, 'kept.bin'), randomBytes(1000));
      await ok('reposure image push default team/kept:1 kept.bin');
      await ok('reposure image delete default team/garbage:1 --digest');
      const collected = JSON.parse(await ok('reposure simple gc -o json')) as { blobs: number };
      // The manifest, its config and its layer, and what earlier tests have left.
      expect(collected.blobs).toBeGreaterThanOrEqual(3);
      // Kept is what has a name; gone is the layer, which has to be sent again.
      await ok('reposure image pull default team/kept:1 --to oci:kept');
      const { bytes } = JSON.parse(await ok(push)) as { bytes: { transferred: number } };
      expect(bytes.transferred).toBeGreaterThan(size);
      const { items } = await kubernetes.list(
        { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true },
        { namespace: name },
      );
      expect(items).toEqual([]);
      expect(await podNames(place())).toHaveLength(1);
    });

    it('has objects that the API takes: Ingress, NetworkPolicy', async () => {
      const install = `reposure simple install --tls --login --node-port --storage 1Gi --storage-class ${name}`;
      await place().ok(
        `${install} --ingress-host registry.example.com --ingress-class none --ingress-tls-secret cert --network-policy --allow-namespace ingress --wait`,
      );
      const { Ingress, NetworkPolicy } = resourceTypes;
      for (const type of [Ingress, NetworkPolicy]) {
        expect(await kubernetes.find(type, 'reposure-simple', name)).toBeDefined();
      }
      await place().ok('reposure image push default team/app:behind-a-policy garbage.bin');
    });

    it('keeps its volume when it is removed, and leaves nothing else', async () => {
      const { ok, namespace } = place();
      await ok('reposure simple uninstall --wait --timeout 3m');
      const { Secret, PersistentVolumeClaim, Service } = resourceTypes;
      await kubernetes.get(PersistentVolumeClaim, 'reposure-simple', namespace);
      const left = await Promise.all(
        [Secret, Service].map((type) => kubernetes.list(type, { namespace })),
      );
      const leftNames = left.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
      expect(leftNames.filter((each) => each.startsWith('reposure-simple'))).toEqual([]);
      await ok('reposure simple uninstall --purge --wait');
      expect(
        await kubernetes.find(PersistentVolumeClaim, 'reposure-simple', namespace),
      ).toBeUndefined();
    });
  },
);
