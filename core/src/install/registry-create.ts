import { isDeepStrictEqual } from 'node:util';

import { NotFoundError, TimeoutError } from '../errors.ts';
import { KubernetesError, resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, Pod } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { findProvider } from '../providers/index.ts';
import { conditionOf, names, registryResource } from '../resource/index.ts';
import type { Registry, RegistrySpec } from '../resource/index.ts';
import { bindImageBuilder } from './image-builder-binding.ts';
import { describePod } from './pod-state.ts';
import { registrySpecOf } from './registry-spec.ts';
import type { RegistryInput } from './registry-spec.ts';
import { simpleSecretsInUse } from './simple-use.ts';
import { waitUntilGone } from './teardown.ts';

/** How a Registry is created. */
export interface CreateRegistryOptions extends RegistryInput {
  /** Return only when images can be pushed. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a Registry that was asked for, in kubectl's words. */
export interface CreatedRegistry {
  readonly registry: Registry;
  readonly outcome: 'created' | 'configured' | 'unchanged';
}

/**
 * Creates a Registry, or makes the one that is there what is asked for.
 *
 * A simple registry's own Secrets are referred to without being asked for.
 *
 * @throws {InputError} if what is asked for names no registry, or more than one.
 * @throws {ResolutionError} if `provider` is `auto`, and none or several are found.
 * @throws {TimeoutError} if `wait`, and it is not ready in time; says what keeps it.
 */
export async function createRegistry(
  kubernetes: KubernetesClient,
  options: CreateRegistryOptions,
): Promise<CreatedRegistry> {
  const { namespace, wait = false, log = silent } = options;
  const asked = await withProvider(registrySpecOf(options), kubernetes, options);
  const found = asked.provider === 'simple' ? await simpleSecretsInUse(kubernetes, namespace) : {};
  const spec: RegistrySpec = { ...found, ...asked };
  const created = await put(kubernetes, options, spec);
  log.info(`Registry ${namespace}/${options.name} ${created.outcome}`);
  if (asked.provider === 'openshift') await bindImageBuilder(kubernetes, created.registry, log);
  if (!wait) return created;
  return { ...created, registry: await waitForRegistry(kubernetes, options) };
}

/** What `auto` finds with the rights of whoever asks, who may see more than the operator. */
async function withProvider(
  spec: RegistrySpec,
  kubernetes: KubernetesClient,
  { name, namespace, log = silent }: CreateRegistryOptions,
): Promise<RegistrySpec> {
  if (spec.provider !== 'auto') return spec;
  const { apiVersion, kind } = registryResource;
  const draft: Registry = { apiVersion, kind, metadata: { name, namespace }, spec };
  const { provider, why } = await findProvider(draft, kubernetes);
  log.info(`Registry ${namespace}/${name}: the provider is ${provider.name}: ${why}`);
  return { ...spec, provider: provider.name };
}

/** Creates or replaces: what is no longer asked for goes, whoever wrote it. */
async function put(
  kubernetes: KubernetesClient,
  { name, namespace }: RegistryInput,
  spec: RegistrySpec,
): Promise<CreatedRegistry> {
  const { apiVersion, kind } = registryResource;
  const existing = await kubernetes.find<Registry>(resourceTypes.Registry, name, namespace);
  if (existing === undefined) {
    const registry: Registry = { apiVersion, kind, metadata: { name, namespace }, spec };
    return { registry: await createOrExplain(kubernetes, registry), outcome: 'created' };
  }
  if (isDeepStrictEqual(existing.spec, spec)) return { registry: existing, outcome: 'unchanged' };
  const registry = await kubernetes.replace<Registry>({ ...existing, spec });
  return { registry, outcome: 'configured' };
}

async function createOrExplain(
  kubernetes: KubernetesClient,
  registry: Registry,
): Promise<Registry> {
  try {
    return await kubernetes.create(registry);
  } catch (error) {
    if (!(error instanceof KubernetesError) || !error.isNotFound) throw error;
    const { name, namespace } = registry.metadata;
    // The API says the same status for both; only its words tell them apart.
    const step = error.message.includes(`namespaces "${namespace}"`)
      ? `there is no namespace "${namespace}"; make it with kubectl create namespace ${namespace}`
      : `the cluster knows no Registries; install the operator with reposure operator install -n ${namespace}`;
    throw new NotFoundError(`Cannot create Registry ${namespace}/${name}: ${step}`);
  }
}

/** Which Registry is waited for, and how. */
export interface WaitForRegistryOptions {
  readonly name: string;
  readonly namespace: string;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a Registry is ready for what its spec says now, not for what it said before.
 *
 * @throws {TimeoutError} with the message of its condition `Ready`.
 */
export async function waitForRegistry(
  kubernetes: KubernetesClient,
  options: WaitForRegistryOptions,
): Promise<Registry> {
  const { name, namespace, timeoutMs = 120_000, log = silent, signal } = options;
  let said = '';
  try {
    return await waitFor<Registry>(
      kubernetes,
      resourceTypes.Registry,
      { name, namespace },
      {
        until: (registry) => {
          if (registry === undefined) return false;
          const state = isLookedAt(registry)
            ? describeReadiness(registry)
            : 'waiting for the operator';
          if (state !== said) log.info(`Registry ${namespace}/${name}: ${state}`);
          said = state;
          return isReady(registry);
        },
        describe: describeReadiness,
        timeoutMs,
        signal,
      },
    );
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const pod = await findPod(kubernetes, names.surrogatePod(name), namespace);
    const clauses = [
      error.message,
      ...(pod && !error.message.includes(describePod(pod)) ? [describePod(pod)] : []),
      `see: reposure registry describe ${name} -n ${namespace}`,
    ];
    throw new TimeoutError(clauses.join('; '), { cause: error });
  }
}

function isReady(registry: Registry): boolean {
  const ready = conditionOf(registry, 'Ready');
  return ready?.status === 'True' && isCurrent(registry);
}

function isCurrent({ metadata, status }: Registry): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isLookedAt(registry: Registry): boolean {
  return conditionOf(registry, 'Ready') !== undefined && isCurrent(registry);
}

function describeReadiness(registry: Registry): string {
  const ready = conditionOf(registry, 'Ready');
  if (ready === undefined || !isLookedAt(registry)) {
    return `no operator has looked at it yet; is there one in namespace ${registry.metadata.namespace}?`;
  }
  return `${ready.reason}: ${ready.message}`;
}

/** Best effort: it only explains an error. */
async function findPod(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<Pod | undefined> {
  try {
    return await kubernetes.find<Pod>(resourceTypes.Pod, name, namespace);
  } catch {
    return undefined;
  }
}

/**
 * Deletes a Registry; its surrogate goes with it, the registry itself and its images stay.
 *
 * @throws {NotFoundError} if there is none.
 */
export async function deleteRegistry(
  kubernetes: KubernetesClient,
  options: WaitForRegistryOptions & { readonly wait?: boolean | undefined },
): Promise<void> {
  const { name, namespace, wait = false } = options;
  if (!(await kubernetes.delete(resourceTypes.Registry, name, namespace))) {
    throw new NotFoundError(
      `Cannot delete Registry ${namespace}/${name}: it does not exist; see: reposure registry list -n ${namespace}`,
    );
  }
  if (!wait) return;
  await waitUntilGone(kubernetes, resourceTypes.Registry, name, options);
  await waitUntilGone(kubernetes, resourceTypes.Pod, names.surrogatePod(name), options);
}
