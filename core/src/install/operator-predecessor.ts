import { isDeepStrictEqual } from 'node:util';

import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { selectorOf } from './labels.ts';
import { waitUntilGone } from './teardown.ts';

/** What the predecessor's operator called its account, its Role and its bindings. */
const account = 'reposure';

interface Deployment extends KubernetesObject {
  spec?: { selector?: { matchLabels?: Record<string, string> } };
}

/**
 * Removes what the predecessor's operator (tliron/reposure) left in a namespace, except for the
 * Registries: its Deployment, whose selector cannot be changed, its account with every right, and
 * its surrogates, which are bare Pods that nobody looks after any more.
 *
 * @throws {KubernetesError} if the API refuses.
 * @see https://github.com/tliron/reposure/blob/main/client/admin/operator.go
 */
export async function retirePredecessor(
  kubernetes: KubernetesClient,
  namespace: string,
  log: Log,
): Promise<void> {
  const { Deployment, ClusterRoleBinding, RoleBinding, Role, ServiceAccount } = resourceTypes;
  const found = await kubernetes.find<Deployment>(Deployment, names.operator, namespace);
  const selector = found?.spec?.selector?.matchLabels;
  if (selector === undefined || isDeepStrictEqual(selector, selectorOf(names.operator))) return;
  const remove = (type: ResourceType, name: string): Promise<void> =>
    removeObject(kubernetes, { type, name, namespace }, log);
  await remove(Deployment, names.operator);
  await waitUntilGone(kubernetes, Deployment, names.operator, { namespace });
  for (const type of [RoleBinding, Role, ServiceAccount]) await remove(type, account);
  if (await isBoundEverywhere(kubernetes, namespace)) await remove(ClusterRoleBinding, account);
  const registries = await kubernetes.list<Registry>(resourceTypes.Registry, { namespace });
  for (const { metadata } of registries.items) {
    await remove(resourceTypes.Pod, names.surrogate(metadata.name));
  }
}

async function removeObject(
  kubernetes: KubernetesClient,
  { type, name, namespace }: { type: ResourceType; name: string; namespace: string },
  log: Log,
): Promise<void> {
  // What its owner makes must be gone, too, before another of the same name comes.
  const options = { propagationPolicy: 'Foreground' } as const;
  if (!(await kubernetes.delete(type, name, namespace, options))) return;
  log.info(`Deleted the predecessor's ${type.kind} ${name}`);
}

/** Whether its account has a ClusterRole; whoever may not look leaves it. */
async function isBoundEverywhere(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<boolean> {
  interface Binding extends KubernetesObject {
    subjects?: readonly { name: string; namespace?: string }[];
  }
  try {
    const { ClusterRoleBinding } = resourceTypes;
    const bound = await kubernetes.find<Binding>(ClusterRoleBinding, account);
    return bound?.subjects?.some((each) => each.namespace === namespace) === true;
  } catch (error) {
    if (error instanceof KubernetesError && error.isForbidden) return false;
    throw error;
  }
}
