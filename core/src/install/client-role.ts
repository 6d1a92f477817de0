import type { KubernetesObject } from '../kubernetes/index.ts';
import { registryLabel, registryResource } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { labelsOf } from './labels.ts';
import type { PolicyRule } from './operator-role.ts';

/** A Role for clients of one Registry, in its namespace. */
export interface ClientRole extends KubernetesObject {
  rules: readonly PolicyRule[];
}

/** The Registry that a Role is for. */
export type RoleSubject = Pick<Registry, 'metadata'>;

/** A Role that lets somebody see one Registry, and what `rules` say. */
export function clientRole(
  { metadata }: RoleSubject,
  name: string,
  rules: readonly PolicyRule[],
): ClientRole {
  const registry = {
    apiGroups: [registryResource.group],
    resources: [registryResource.plural],
    resourceNames: [metadata.name],
    verbs: ['get'],
  };
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: { ...labelsOf(name, 'access'), [registryLabel]: metadata.name },
    },
    rules: [registry, ...rules],
  };
}
