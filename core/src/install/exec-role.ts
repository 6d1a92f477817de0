import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole, RoleSubject } from './client-role.ts';

/**
 * The Role that push and pull through the surrogate of one Registry need by exec, and nothing else.
 *
 * Who may exec into a Pod can do all that it can: this one holds the registry's login.
 *
 * From Kubernetes 1.35 on, exec over WebSocket wants `create`; before, `get`.
 */
export function execRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  const resourceNames = [names.surrogatePod(name)];
  return clientRole(registry, names.execRole(name), [
    { apiGroups: [''], resources: ['pods'], resourceNames, verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/exec'], resourceNames, verbs: ['create', 'get'] },
  ]);
}
