import { names } from '../resource/index.ts';
import { clientRole } from './client-role.ts';
import type { ClientRole, RoleSubject } from './client-role.ts';

/** The Role that pull needs through the API server's proxy, and nothing else. */
export function pullRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  return proxyRole(registry, names.pullRole(name), { key: names.readKey(name), verbs: ['get'] });
}

/**
 * The Role that push, pull and delete need through the API server's proxy, and nothing else.
 *
 * The proxy's verbs are those of the HTTP methods: POST creates, PUT updates.
 */
export function pushRoleOf(registry: RoleSubject): ClientRole {
  const { name } = registry.metadata;
  const verbs = ['get', 'create', 'update', 'patch', 'delete'];
  return proxyRole(registry, names.pushRole(name), { key: names.writeKey(name), verbs });
}

function proxyRole(
  registry: RoleSubject,
  role: string,
  { key, verbs }: { readonly key: string; readonly verbs: readonly string[] },
): ClientRole {
  // As it stands in the path, with scheme and port: RBAC compares nothing else.
  const service = `https:${names.surrogate(registry.metadata.name)}:${names.gatewayPort}`;
  return clientRole(registry, role, [
    { apiGroups: [''], resources: ['secrets'], resourceNames: [key], verbs: ['get'] },
    { apiGroups: [''], resources: ['services/proxy'], resourceNames: [service], verbs },
  ]);
}
