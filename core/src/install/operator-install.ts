import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { silent } from '../log.ts';
import { names } from '../resource/index.ts';
import { version } from '../version.ts';
import { installCrd, uninstallCrd } from './custom-resource.ts';
import { operatorObjects, operatorRoleBinding } from './operator-objects.ts';
import type { OperatorObjectsOptions } from './operator-objects.ts';
import { waitForRollout } from './rollout.ts';
import { deleteAll } from './teardown.ts';

/** How the operator is installed. */
export interface InstallOperatorOptions extends Omit<OperatorObjectsOptions, 'image'> {
  /** Of this version by default. */
  readonly image?: string | undefined;
  /** Return only when it works. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How something is uninstalled. */
export interface UninstallOptions {
  readonly namespace: string;
  /** Return only when its Pods are gone. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Installs the operator in a namespace, or brings the one that is there to what is asked for.
 *
 * @throws {KubernetesError} if the API refuses.
 * @throws {TimeoutError} if `wait`, and it does not work in time.
 */
export async function installOperator(
  kubernetes: KubernetesClient,
  options: InstallOperatorOptions,
): Promise<void> {
  const { namespace, image = names.image(version), log = silent, timeoutMs = 120_000 } = options;
  await installCrd(kubernetes, log);
  await unbindRole(kubernetes, options, log);
  for (const object of operatorObjects({ ...options, image })) {
    await kubernetes.apply(object);
    log.info(`Applied ${object.kind} ${namespace}/${object.metadata.name}`);
  }
  if (options.wait) {
    log.info(`Waiting for Deployment ${namespace}/${names.operator}`);
    await waitForRollout(kubernetes, names.operator, namespace, {
      timeoutMs,
      signal: options.signal,
    });
  }
}

/**
 * Removes the operator from a namespace; Registries and their surrogates stay.
 *
 * The CRD goes only when nobody in the cluster needs it any more.
 */
export async function uninstallOperator(
  kubernetes: KubernetesClient,
  options: UninstallOptions,
): Promise<void> {
  await deleteAll(
    kubernetes,
    [
      [resourceTypes.Deployment, names.operator],
      [resourceTypes.RoleBinding, operatorRoleBinding],
      [resourceTypes.RoleBinding, names.operator],
      [resourceTypes.Role, names.operator],
      [resourceTypes.ServiceAccount, names.operator],
      [resourceTypes.Lease, names.operator],
    ],
    options,
  );
  await uninstallCrd(kubernetes, options);
}

interface RoleBinding extends KubernetesObject {
  roleRef?: { name: string };
}

/** A binding's role cannot be changed; and one that nobody asks for any more is taken back. */
async function unbindRole(
  kubernetes: KubernetesClient,
  { namespace, role }: InstallOperatorOptions,
  log: Log,
): Promise<void> {
  const { RoleBinding } = resourceTypes;
  const bound = await kubernetes.find<RoleBinding>(RoleBinding, operatorRoleBinding, namespace);
  if (bound === undefined || bound.roleRef?.name === role) return;
  await kubernetes.delete(RoleBinding, operatorRoleBinding, namespace);
  log.info(`Deleted RoleBinding ${namespace}/${operatorRoleBinding}`);
}
