import { labelsOf, selectorOf } from '@reposure/core/install';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { names, registryLabel } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';

/** What an object is, beside its metadata. */
export interface OwnedObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** The surrogate's own by default. */
  readonly name?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An object of a Registry's surrogate: goes when the Registry goes. */
export function ownedObject(registry: Registry, object: OwnedObject): KubernetesObject {
  const { name, namespace, uid = '' } = registry.metadata;
  const owner = { apiVersion: registry.apiVersion, kind: registry.kind, name, uid };
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name: object.name ?? names.surrogate(name),
      namespace,
      labels: surrogateLabels(name),
      ownerReferences: [{ ...owner, controller: true }],
    },
    ...object.fields,
  };
}

/** The labels of every object of a surrogate, its Pod among them. */
export function surrogateLabels(registry: string): Record<string, string> {
  return { ...labelsOf('reposure-surrogate', 'surrogate'), [registryLabel]: registry };
}

/** The labels by which the surrogate's Pod is found: they never change. */
export function surrogateSelector(registry: string): Record<string, string> {
  return { ...selectorOf('reposure-surrogate'), [registryLabel]: registry };
}
