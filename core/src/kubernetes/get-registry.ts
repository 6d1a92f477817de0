import { InputError, NotFoundError } from '../errors.ts';
import { isRegistryName } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import type { KubernetesClient } from './client.ts';
import { resourceTypes } from './resource-types.ts';

/** Which Registry. */
export interface RegistryTarget {
  readonly name: string;
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a Registry.
 *
 * @throws {InputError} if none can have that name.
 * @throws {NotFoundError} that says how those that there are can be seen, and one be made.
 */
export async function getRegistry(
  kubernetes: KubernetesClient,
  { name, namespace, signal }: RegistryTarget,
): Promise<Registry> {
  if (!isRegistryName(name)) {
    throw new InputError(
      `Cannot find registry "${name}": no Registry has such a name; want lower-case letters, digits and - between them`,
    );
  }
  const found = await kubernetes.find<Registry>(resourceTypes.Registry, name, namespace, signal);
  if (found) return found;
  throw new NotFoundError(
    `Cannot find registry "${name}" in namespace "${namespace}" at ${kubernetes.server}; \`reposure registry list -A\` shows those that there are, \`reposure registry create ${name} -n ${namespace} --provider=simple --wait\` makes one`,
  );
}
