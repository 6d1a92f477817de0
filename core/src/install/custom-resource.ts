import { KubernetesError, resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { ApiObject, KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { names, registryCrd } from '../resource/index.ts';
import { selectorOf } from './labels.ts';
import { waitUntilGone } from './teardown.ts';
import type { TeardownOptions } from './teardown.ts';

interface Definition extends KubernetesObject {
  status?: { conditions?: readonly { type: string; status: string; message?: string }[] };
}

const establishTimeoutMs = 30_000;

/**
 * Makes sure that the cluster knows Registries.
 *
 * @throws {KubernetesError} if it does not and we may not tell it.
 */
export async function installCrd(kubernetes: KubernetesClient, log: Log): Promise<void> {
  const crd = registryCrd();
  const { name } = crd.metadata;
  try {
    await kubernetes.apply(crd);
  } catch (error) {
    if (!(await isServed(kubernetes, error))) throw error;
    log.warn(
      `May not update CustomResourceDefinition ${name}: left as it is; ask a cluster administrator to apply the one of this version`,
    );
    return;
  }
  await waitFor<Definition>(
    kubernetes,
    resourceTypes.CustomResourceDefinition,
    { name },
    {
      until: (definition) => definition !== undefined && isEstablished(definition),
      describe: () => 'the API does not serve it yet',
      timeoutMs: establishTimeoutMs,
    },
  );
  log.info(`Applied CustomResourceDefinition ${name}`);
}

/**
 * Removes the definition if nobody in the cluster needs it: with it goes every Registry.
 *
 * What we may not see counts as somebody who needs it.
 */
export async function uninstallCrd(
  kubernetes: KubernetesClient,
  options: TeardownOptions,
): Promise<void> {
  const { log = silent, wait = false } = options;
  const { name } = registryCrd().metadata;
  const need = await needOf(kubernetes);
  if (need !== undefined) {
    log.info(`Kept CustomResourceDefinition ${name}: ${need}`);
    return;
  }
  const { CustomResourceDefinition } = resourceTypes;
  if (!(await kubernetes.delete(CustomResourceDefinition, name))) return;
  if (wait) await waitUntilGone(kubernetes, CustomResourceDefinition, name, options);
  log.info(`Deleted CustomResourceDefinition ${name}`);
}

async function isServed(kubernetes: KubernetesClient, error: unknown): Promise<boolean> {
  if (!(error instanceof KubernetesError) || !error.isForbidden) return false;
  try {
    await kubernetes.list(resourceTypes.Registry, { namespace: kubernetes.namespace });
    return true;
  } catch (refusal) {
    // Forbidden to list them is enough: the API knows the name.
    return refusal instanceof KubernetesError && refusal.isForbidden;
  }
}

function isEstablished({ status }: Definition): boolean {
  return (
    status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True') ===
    true
  );
}

async function needOf(kubernetes: KubernetesClient): Promise<string | undefined> {
  try {
    const registries = await kubernetes.list(resourceTypes.Registry);
    if (registries.items.length > 0) return `in use by ${listOf(registries.items)}`;
    const [[label, value] = ['', '']] = Object.entries(selectorOf(names.operator));
    const operators = await kubernetes.list(resourceTypes.Deployment, {
      labelSelector: `${label}=${value}`,
    });
    const others = operators.items.filter((each) => each.metadata.deletionTimestamp === undefined);
    return others.length > 0 ? `in use by ${listOf(others)}` : undefined;
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.isNotFound) return undefined;
    if (error.isForbidden) return 'others may use it, and we may not look';
    throw error;
  }
}

function listOf(objects: readonly ApiObject[]): string {
  const [first] = objects;
  const { namespace = '', name = '' } = first?.metadata ?? {};
  const rest = objects.length > 1 ? ` and ${objects.length - 1} more` : '';
  return `${first?.kind ?? ''} ${namespace}/${name}${rest}`;
}
