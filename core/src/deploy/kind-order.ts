import type { Manifest } from './manifest.ts';

/**
 * What others need comes first; kinds that are not named here are custom ones, and come last: those
 * who watch them, and the hooks that check them, have to be there.
 */
const order = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'StorageClass',
  'ResourceQuota',
  'LimitRange',
  'NetworkPolicy',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'StatefulSet',
  'HorizontalPodAutoscaler',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

/** In the order in which they are applied; those of one kind stay in the order in which they came. */
export function inOrder<T extends Pick<Manifest, 'object'>>(manifests: readonly T[]): T[] {
  return manifests.toSorted((a, b) => rankOf(a.object.kind) - rankOf(b.object.kind));
}

function rankOf(kind: string): number {
  const rank = order.indexOf(kind);
  return rank === -1 ? order.length : rank;
}
