import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole, RoleSubject } from './client-role.ts';

/** The Role that pull needs through the API server's proxy, and nothing else. */
export function pullRoleOf(registry: RoleSubject): ClientRole {
  return clientRole(registry, names.pullRole(registry.metadata.name), 'pull');
}

/** The Role that push, pull and delete need through the API server's proxy, and nothing else. */
export function pushRoleOf(registry: RoleSubject): ClientRole {
  return clientRole(registry, names.pushRole(registry.metadata.name), 'push');
}
