import type { KubernetesObject } from '../kubernetes/index.ts';
import { names, registryLabel, registryResource } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { labelsOf } from './labels.ts';

/**
 * The Role that push and pull through the surrogate of one Registry need, and nothing else.
 *
 * Who may exec into a Pod can do all that it can: this one holds the registry's login.
 *
 * From Kubernetes 1.35 on, exec over WebSocket wants `create`; before, `get`.
 */
export function execRoleOf(registry: Pick<Registry, 'metadata'>): KubernetesObject {
  const { name, namespace } = registry.metadata;
  const resourceNames = [names.surrogatePod(name)];
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: {
      name: names.execRole(name),
      namespace,
      labels: { ...labelsOf(names.execRole(name), 'access'), [registryLabel]: name },
    },
    rules: [
      {
        apiGroups: [registryResource.group],
        resources: [registryResource.plural],
        resourceNames: [name],
        verbs: ['get'],
      },
      { apiGroups: [''], resources: ['pods'], resourceNames, verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/exec'], resourceNames, verbs: ['create', 'get'] },
    ],
  };
}
