import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { silent } from '../log.ts';
import { names } from '../resource/index.ts';
import { version } from '../version.ts';
import { installCrd, uninstallCrd } from './custom-resource.ts';
import { refuseSecondOperator, removeOldBindings } from './operator-bindings.ts';
import { operatorObjects } from './operator-objects.ts';
import type { OperatorObjectsOptions } from './operator-objects.ts';
import { retirePredecessor } from './operator-predecessor.ts';
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
 * @throws {InputError} if it is to serve all namespaces, and one in another namespace does.
 * @throws {TimeoutError} if `wait`, and it does not work in time.
 */
export async function installOperator(
  kubernetes: KubernetesClient,
  options: InstallOperatorOptions,
): Promise<void> {
  const { namespace, image = names.image(version), log = silent, timeoutMs = 120_000 } = options;
  if (options.allNamespaces) await refuseSecondOperator(kubernetes, namespace);
  await installCrd(kubernetes, log);
  await retirePredecessor(kubernetes, namespace, log);
  await removeOldBindings(kubernetes, options, log);
  for (const object of operatorObjects({ ...options, image })) {
    await kubernetes.apply(object);
    const { namespace: where, name } = object.metadata;
    log.info(`Applied ${object.kind} ${where === undefined ? name : `${where}/${name}`}`);
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
 * What is the cluster's own goes only when nobody needs it any more: the CRD while there is a
 * Registry or another operator, cluster-wide bindings while they are another namespace's.
 */
export async function uninstallOperator(
  kubernetes: KubernetesClient,
  options: UninstallOptions,
): Promise<void> {
  await deleteAll(
    kubernetes,
    [
      [resourceTypes.Deployment, names.operator],
      [resourceTypes.RoleBinding, names.operator],
      [resourceTypes.Role, names.operator],
      [resourceTypes.ServiceAccount, names.operator],
      [resourceTypes.Lease, names.operator],
    ],
    options,
  );
  const { namespace, log = silent } = options;
  await removeOldBindings(kubernetes, { namespace }, log);
  await uninstallCrd(kubernetes, options);
}
