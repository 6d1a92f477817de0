import type { KubernetesObject } from '../kubernetes/index.ts';
import { registryLabel } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { labelsOf } from './labels.ts';
import { ruleOf } from './rights.ts';
import type { PolicyRule, Right } from './rights.ts';

/** A Role for clients of one Registry, in its namespace. */
export interface ClientRole extends KubernetesObject {
  rules: readonly PolicyRule[];
}

/** The Registry that a Role is for. */
export type RoleSubject = Pick<Registry, 'metadata'>;

/** A Role that lets somebody use one Registry in one way. */
export function clientRole(
  { metadata }: RoleSubject,
  name: string,
  rights: readonly Right[],
): ClientRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: { ...labelsOf(name, 'access'), [registryLabel]: metadata.name },
    },
    rules: rights.map(ruleOf),
  };
}
