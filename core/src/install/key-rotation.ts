import { NotFoundError } from '../errors.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { newGatewayKey } from '../surrogate/gateway-keys.ts';
import type { RoleSubject } from './client-role.ts';

/**
 * Gives a Registry new keys for the proxy route; those that they replace count until the next time,
 * so that what is under way goes on. Deleting the Secrets is what ends a key at once.
 *
 * @returns The names of the Secrets.
 * @throws {NotFoundError} if the operator has made no keys yet.
 * @throws {KubernetesError} if the caller may not change them, or somebody else just did.
 */
export async function rotateKeys(
  kubernetes: KubernetesClient,
  { metadata }: RoleSubject,
): Promise<string[]> {
  const { name, namespace } = metadata;
  const secrets = [names.readKey(name), names.writeKey(name)];
  for (const secret of secrets) await rotateKey(kubernetes, secret, namespace);
  return secrets;
}

async function rotateKey(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<void> {
  const secret = await kubernetes.find<Secret>(resourceTypes.Secret, name, namespace);
  const previous = secret?.data?.['key'];
  if (secret === undefined || previous === undefined) {
    throw new NotFoundError(
      `Cannot rotate the key in Secret ${namespace}/${name}: there is none; want an operator that makes it`,
    );
  }
  const key = Buffer.from(newGatewayKey()).toString('base64');
  await kubernetes.replace({ ...secret, data: { ...secret.data, key, previous } });
}
