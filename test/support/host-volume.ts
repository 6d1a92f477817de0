import { setTimeout as delay } from 'node:timers/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject, ResourceType } from '@reposure/core/kubernetes';

/** A volume on the disk of a node, for clusters that make none by themselves. */
export interface HostVolume {
  /** Of the claim: there is one volume of it. */
  readonly storageClass: string;
  /** Removes the volume, and what is in it. */
  readonly close: () => Promise<void>;
}

const volumeType: ResourceType = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
};

/** Makes a volume that everybody may write to, by a Pod that is root: `hostPath` knows no fsGroup. */
export async function makeHostVolume(
  kubernetes: KubernetesClient,
  name: string,
): Promise<HostVolume> {
  const path = `/var/tmp/${name}`;
  await runOnNode(kubernetes, name, `mkdir -p /host${path} && chmod 777 /host${path}`);
  await kubernetes.create<KubernetesObject>({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
  });
  await kubernetes.create<KubernetesObject>({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: name,
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path },
    },
  });
  return {
    storageClass: name,
    close: async () => {
      await kubernetes.delete(volumeType, name);
      await kubernetes.delete(resourceTypes.StorageClass, name);
      await runOnNode(kubernetes, name, `rm -rf /host${path}`);
    },
  };
}

interface Pod extends KubernetesObject {
  status?: { phase?: string };
}

async function runOnNode(
  kubernetes: KubernetesClient,
  name: string,
  command: string,
): Promise<void> {
  const namespace = 'default';
  await kubernetes.create<KubernetesObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'shell',
          image: 'docker.io/library/busybox:1',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', command],
          volumeMounts: [{ name: 'host', mountPath: '/host/var/tmp' }],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: '/var/tmp' } }],
    },
  });
  try {
    for (let phase: string | undefined; phase !== 'Succeeded';) {
      if (phase === 'Failed') throw new Error(`Cannot run "${command}" on a node: it failed`);
      await delay(250);
      ({ phase } = (await kubernetes.get<Pod>(resourceTypes.Pod, name, namespace)).status ?? {});
    }
  } finally {
    await kubernetes.delete(resourceTypes.Pod, name, namespace);
    while (await kubernetes.find(resourceTypes.Pod, name, namespace)) await delay(250);
  }
}
