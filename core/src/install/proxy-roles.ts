import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole, RoleSubject } from './client-role.ts';
import { clientRights } from './rights.ts';

/** The Role that pull needs through the API server's proxy, and nothing else. */
export function pullRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  return clientRole(registry, names.pullRole(name), clientRights(name, 'pull'));
}

/** The Role that push, pull and delete need through the API server's proxy, and nothing else. */
export function pushRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  return clientRole(registry, names.pushRole(name), clientRights(name, 'push'));
}
