import type { StoredObject } from './object.ts';

/** The finalizer of an object that waits for its dependents. */
export const foregroundFinalizer = 'foregroundDeletion';
/** The finalizer of an object whose dependents are to lose their owner first. */
export const orphanFinalizer = 'orphan';

/** Built-in resources whose `status` is a subresource. */
export const statusResources: readonly string[] = [
  'namespaces',
  'nodes',
  'pods',
  'services',
  'persistentvolumeclaims',
  'deployments.apps',
  'statefulsets.apps',
  'replicasets.apps',
  'customresourcedefinitions.apiextensions.k8s.io',
];

/** The finalizers that an object has once it is being deleted in this way. */
export function nextFinalizers(
  object: StoredObject,
  policy: 'Background' | 'Foreground' | 'Orphan' | undefined,
): string[] {
  const own = (object.metadata.finalizers ?? []).filter(
    (finalizer) =>
      policy === undefined || ![foregroundFinalizer, orphanFinalizer].includes(finalizer),
  );
  if (policy === 'Foreground') return [...own, foregroundFinalizer];
  if (policy === 'Orphan') return [...own, orphanFinalizer];
  // A namespace is gone only when everything in it is.
  const { kind, apiVersion, metadata } = object;
  const isFullNamespace = kind === 'Namespace' && apiVersion === 'v1' && object['spec'];
  const { finalizers } = isFullNamespace ? (object['spec'] as { finalizers?: string[] }) : {};
  return finalizers?.length && !metadata.deletionTimestamp ? [...own, ...finalizers] : own;
}
