import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole, RoleSubject } from './client-role.ts';
import { clientRights } from './rights.ts';

/**
 * The Role that push and pull through the surrogate of one Registry need by exec, and nothing else.
 *
 * Who may exec into a Pod can do all that it can: this one holds the registry's login.
 */
export function execRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  return clientRole(registry, names.execRole(name), clientRights(name, 'exec'));
}
