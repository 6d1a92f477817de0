import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole } from './client-role.ts';
import { directRights } from './rights.ts';
import type { DirectSubject } from './rights.ts';

/**
 * The Role that push and pull need straight from a Pod of the cluster, and nothing else.
 *
 * Who has it can read the registry's login.
 */
export function directRoleOf(registry: DirectSubject): ClientRole {
  return clientRole(registry, names.directRole(registry.metadata.name), directRights(registry));
}
