import { UnreachableError } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { ApiObject, KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { newGatewayKey } from '@reposure/core/surrogate';

import { ownedObject } from './owned-object.ts';

/**
 * Makes the keys of the proxy route that a Registry lacks; those that are there stay as they are.
 *
 * They are created and never applied: what the operator may not change, it cannot rotate by
 * mistake. Whoever deletes one gets another.
 *
 * @returns The names of the Secrets that were made.
 * @throws {UnreachableError} while the keys of an earlier Registry of this name are being collected.
 */
export async function makeMissingKeys(
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<string[]> {
  const { name, namespace } = registry.metadata;
  const made: string[] = [];
  for (const secret of [names.readKey(name), names.writeKey(name)]) {
    const found = await kubernetes.find(resourceTypes.Secret, secret, namespace);
    if (found === undefined) {
      await kubernetes.create(keySecret(registry, secret));
      made.push(secret);
    } else refuseLeftOver(found, registry);
  }
  return made;
}

function keySecret(registry: Registry, name: string): KubernetesObject {
  const key = Buffer.from(newGatewayKey()).toString('base64');
  const fields = { type: 'Opaque', data: { key } };
  return ownedObject(registry, { apiVersion: 'v1', kind: 'Secret', name, fields });
}

/** It is about to go, and a surrogate that starts with it would be left without a key. */
function refuseLeftOver({ metadata: secret }: ApiObject, { kind, metadata }: Registry): void {
  const owners = (secret.ownerReferences ?? []).filter((owner) => owner.kind === kind);
  // One without an owner was put there by somebody who wanted this key.
  if (owners.length === 0 || owners.some(({ uid }) => uid === metadata.uid)) return;
  throw new UnreachableError(
    `Cannot use Secret ${metadata.namespace}/${secret.name}: it belongs to an earlier Registry ${metadata.name}; want it collected`,
  );
}
