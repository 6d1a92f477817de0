import type { StoredObject } from './object.ts';
import type { Store } from './store.ts';

const finalizer = 'kubernetes';

/** What every namespace is given. */
export interface NamespaceContents {
  /** Becomes the ConfigMap `kube-root-ca.crt`, as Pods expect it. */
  readonly caPem: string;
}

/**
 * Fills new namespaces with what each one has, and empties those that are being deleted.
 *
 * @returns What ends it.
 */
export function manageNamespaces(store: Store, contents: NamespaceContents): () => void {
  for (const namespace of store.list('namespaces')) fill(store, namespace, contents);
  return store.subscribe(({ type, resource, object }) => {
    if (resource === 'namespaces' && type !== 'DELETED') {
      if (object.metadata.deletionTimestamp) setImmediate(empty, store, object.metadata.name);
      else if (type === 'ADDED') fill(store, object, contents);
    } else if (type === 'DELETED' && object.metadata.namespace) {
      setImmediate(empty, store, object.metadata.namespace);
    }
  });
}

function fill(store: Store, { metadata }: StoredObject, { caPem }: NamespaceContents): void {
  const namespace = metadata.name;
  if (!store.peek('serviceaccounts', namespace, 'default')) {
    store.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  }
  if (!store.peek('configmaps', namespace, 'kube-root-ca.crt')) {
    store.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt', namespace },
      data: { 'ca.crt': caPem },
    });
  }
}

function empty(store: Store, name: string): void {
  const namespace = store.get('namespaces', undefined, name);
  if (!namespace?.metadata.deletionTimestamp) return;
  const left = store.everything().filter(({ object }) => object.metadata.namespace === name);
  for (const { resource, object } of left) {
    if (!object.metadata.deletionTimestamp && store.findByUid(object.metadata.uid)) {
      store.delete(resource, name, object.metadata.name);
    }
  }
  if (store.everything().some(({ object }) => object.metadata.namespace === name)) {
    const status = { phase: 'Terminating' };
    store.update('namespaces', { ...namespace, status }, { subresource: 'status' });
    return;
  }
  namespace.metadata.finalizers = (namespace.metadata.finalizers ?? []).filter(
    (each) => each !== finalizer,
  );
  store.update('namespaces', namespace);
}
