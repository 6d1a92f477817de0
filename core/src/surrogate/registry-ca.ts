import type { KubernetesClient } from '../kubernetes/client.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import { isOpenShift, tlsSecretOf } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import { caOf } from './login-secret.ts';
import type { Secret } from './login-secret.ts';

/** Whose certificates are asked for, and where. */
export interface RegistryCaOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The CA certificates by which clients trust a registry, if the machine's own do not do.
 *
 * @returns PEM; `undefined` if its Registry names none.
 * @throws {InputError} if what it names holds none.
 * @throws {KubernetesError} if that may not be read.
 */
export async function registryCa(options: RegistryCaOptions): Promise<string | undefined> {
  const { kubernetes, registry, signal } = options;
  const { metadata, spec } = registry;
  const secret = tlsSecretOf(spec);
  if (secret !== undefined) {
    const type = resourceTypes.Secret;
    return caOf(await kubernetes.get<Secret>(type, secret, metadata.namespace, signal), spec);
  }
  if (!isOpenShift(registry)) return undefined;
  const { serviceCaOf } = await import('./openshift-direct.ts');
  return await serviceCaOf(options);
}
