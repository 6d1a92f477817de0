import { InputError } from '../errors.ts';
import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import { operatorRoleBinding } from './operator-objects.ts';
import type { OperatorObjectsOptions } from './operator-objects.ts';

interface Binding extends KubernetesObject {
  roleRef?: { name: string };
  subjects?: readonly { name: string; namespace?: string }[];
}

const { ClusterRole, ClusterRoleBinding, RoleBinding } = resourceTypes;

/**
 * Refuses a second operator that serves all namespaces: the two would fight over every Registry.
 *
 * @throws {InputError} if there is one in another namespace.
 */
export async function refuseSecondOperator(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<void> {
  const bound = await kubernetes.find<Binding>(ClusterRoleBinding, names.operator);
  const other = namespaceOf(bound);
  if (other === undefined || other === namespace) return;
  // A namespace that was deleted leaves its binding behind, which harms nobody.
  const { Deployment } = resourceTypes;
  if ((await kubernetes.find(Deployment, names.operator, other)) === undefined) return;
  throw new InputError(
    `Cannot install an operator for all namespaces in ${namespace}: there is one in ${other}; want it removed first: reposure operator uninstall -n ${other}`,
  );
}

/**
 * Takes back the bindings that are not asked for any more; those of an operator in another
 * namespace stay. A binding's role cannot be changed: one with another role goes, too.
 */
export async function removeOldBindings(
  kubernetes: KubernetesClient,
  options: Pick<OperatorObjectsOptions, 'namespace' | 'allNamespaces' | 'role'>,
  log: Log,
): Promise<void> {
  const { namespace, allNamespaces = false, role } = options;
  const [here, everywhere] = allNamespaces ? [undefined, role] : [role, undefined];
  const wanted = [
    [RoleBinding, operatorRoleBinding, here],
    [ClusterRoleBinding, operatorRoleBinding, everywhere],
    [ClusterRoleBinding, names.operator, allNamespaces ? names.operator : undefined],
  ] as const;
  for (const [type, name, roleWanted] of wanted) {
    const bound = await findOwn(kubernetes, { type, name, namespace });
    if (bound === undefined || bound.roleRef?.name === roleWanted) continue;
    await kubernetes.delete(type, name, namespace);
    log.info(`Deleted ${describe(type, name, namespace)}`);
    if (type === ClusterRoleBinding && name === names.operator) await removeRole(kubernetes, log);
  }
}

async function removeRole(kubernetes: KubernetesClient, log: Log): Promise<void> {
  if (await kubernetes.delete(ClusterRole, names.operator)) {
    log.info(`Deleted ClusterRole ${names.operator}`);
  }
}

/** A binding of the operator in this namespace; whoever may not look at the others has none. */
async function findOwn(
  kubernetes: KubernetesClient,
  { type, name, namespace }: { type: ResourceType; name: string; namespace: string },
): Promise<Binding | undefined> {
  try {
    const bound = await kubernetes.find<Binding>(type, name, namespace);
    return namespaceOf(bound) === namespace ? bound : undefined;
  } catch (error) {
    const isHidden = error instanceof KubernetesError && error.isForbidden && !type.namespaced;
    if (isHidden) return undefined;
    throw error;
  }
}

function namespaceOf(binding: Binding | undefined): string | undefined {
  return binding?.subjects?.find(({ name }) => name === names.operator)?.namespace;
}

function describe({ kind, namespaced }: ResourceType, name: string, namespace: string): string {
  return namespaced ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
}
