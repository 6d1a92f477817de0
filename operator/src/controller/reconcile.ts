import { explain, sha256Hex } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { ImagePull } from '@reposure/core/install';
import { KubernetesError, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject, Pod } from '@reposure/core/kubernetes';
import {
  credentialsOf,
  CredentialsError,
  ResolutionError,
  resolveProvider,
} from '@reposure/core/providers';
import type { Credentials, Resolved } from '@reposure/core/providers';
import { conditionOf, isRegistryName, maxRegistryNameLength, names } from '@reposure/core/resource';
import type { Condition, Registry, RegistryStatus } from '@reposure/core/resource';

import type { AppliedObjects } from './applied-objects.ts';
import { unsettledOf } from './conditions.ts';
import type { Observation } from './conditions.ts';
import { recordEvent } from './event-recorder.ts';
import { makeMissingKeys } from './gateway-key-secrets.ts';
import type { Health } from './health-probe.ts';
import { isOwnImage, withheldFrom } from './image-policy.ts';
import { keyOf, partsOf } from './registry-key.ts';
import type { RegistryKey } from './registry-key.ts';
import { isStatusNews, readinessNews, statusOf } from './status.ts';
import { configAnnotation, configHashOf, surrogateObjects } from './surrogate-objects.ts';
import type { SurrogateOptions } from './surrogate-objects.ts';

/** What reconciling works with. */
export interface ReconcileContext {
  readonly kubernetes: KubernetesClient;
  readonly applied: AppliedObjects;
  /** The operator's own, and every surrogate's unless its Registry says otherwise. */
  readonly image: string;
  /** How nodes come by that image. */
  readonly pull?: ImagePull | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly askSurrogate: (podIp: string, signal: AbortSignal) => Promise<Health | undefined>;
}

/** What came of a look at a Registry. */
export interface Outcome {
  /** In how many ms to look again. */
  readonly againMs: number;
  readonly ready: Condition['status'];
}

/** Secrets are not watched: this is how long a change of theirs may go unseen. */
const pollEveryMs = 30_000;
/** While something is on its way. */
const pollSoonMs = 5000;
/** What has been wrong for long is not asked about so often: after a tenth of that time. */
const patience = 10;
/** Nobody waits for a surrogate that is not wanted. */
const pollSuspendedMs = 600_000;

/**
 * Makes one Registry's surrogate what it should be, and its status what is true.
 *
 * Looks at everything anew each time, so that it does not matter which events were missed.
 *
 * @returns `undefined` if there is nothing left to look at.
 * @throws {KubernetesError} if the API refuses; the status says so where it can.
 */
export async function reconcile(
  key: RegistryKey,
  context: ReconcileContext,
): Promise<Outcome | undefined> {
  const { kubernetes } = context;
  const { namespace, name } = partsOf(key);
  const registry = await kubernetes.find<Registry>(resourceTypes.Registry, name, namespace);
  // What it owns goes by owner references.
  if (registry === undefined || registry.metadata.deletionTimestamp !== undefined) return undefined;
  const { seen, failure } = await bring(registry, context);
  // Another operator may lead by now: the status is no longer ours to write.
  context.signal.throwIfAborted();
  // The Registry is about to go, too, and then there is an event.
  if (failure instanceof KubernetesError && failure.isNamespaceTerminating) return undefined;
  const status = statusOf(registry, seen, new Date().toISOString());
  await writeStatus(registry, status, seen, context);
  if (failure !== undefined) throw failure;
  return outcomeOf({ ...registry, status }, seen);
}

function outcomeOf(registry: Registry, { isSuspended }: Observation): Outcome {
  const { status: ready = 'Unknown' } = conditionOf(registry, 'Ready') ?? {};
  const amiss = unsettledOf(registry.status?.conditions ?? []);
  if (amiss.length === 0) return { againMs: pollEveryMs, ready };
  if (isSuspended) return { againMs: pollSuspendedMs, ready };
  const newest = Math.max(...amiss.map((each) => Date.parse(each.lastTransitionTime)));
  const againMs = Math.min((Date.now() - newest) / patience, pollEveryMs);
  return { againMs: Math.max(pollSoonMs, againMs), ready };
}

interface Brought {
  readonly seen: Observation;
  /** To be thrown after the status tells of it. */
  readonly failure?: Error;
}

async function bring(registry: Registry, context: ReconcileContext): Promise<Brought> {
  let seen: Observation = { resolution: undefined, isSuspended: registry.spec.replicas === 0 };
  try {
    const resolution = await attempt(() => resolve(registry, context), ResolutionError);
    seen = { ...seen, resolution };
    if (resolution instanceof ResolutionError) return { seen };
    const image = registry.spec.image ?? context.image;
    const credentials = await attempt(
      () => credentialsFor(registry, resolution, image, context),
      CredentialsError,
    );
    seen = { ...seen, credentials };
    // What runs is left as it is: the Secret may be about to come back.
    if (credentials instanceof CredentialsError) return { seen };
    const hasKeys = isOwnImage(image, context.image);
    const options = {
      registry,
      resolved: resolution,
      credentials,
      image,
      pull: context.pull,
      hasKeys,
    };
    const failure = await failureOf(() => applySurrogate(options, context));
    if (failure !== undefined) return { seen: { ...seen, applyError: explain(failure) }, failure };
    return { seen: { ...seen, ...(await look(options, context)) } };
  } catch (error) {
    return { seen: { ...seen, readError: explain(error) }, failure: errorOf(error) };
  }
}

async function resolve(registry: Registry, { kubernetes }: ReconcileContext): Promise<Resolved> {
  const { name, namespace } = registry.metadata;
  refuseBoth(registry);
  if (!isRegistryName(name)) {
    throw new ResolutionError(
      'NameInvalid',
      `Cannot make a surrogate for Registry ${namespace}/${name}: its name wants at most ${maxRegistryNameLength} lower-case letters, digits and -`,
    );
  }
  return resolveProvider(registry, kubernetes);
}

/** The API refuses it today; a Registry may be older than that. */
function refuseBoth({ spec, metadata: { namespace, name } }: Registry): void {
  if (spec.direct === undefined || spec.indirect === undefined) return;
  throw new ResolutionError(
    'AmbiguousRegistry',
    `Cannot resolve Registry ${namespace}/${name}: it names two registries, direct and indirect; want one of them`,
  );
}

async function credentialsFor(
  registry: Registry,
  resolved: Resolved,
  image: string,
  context: ReconcileContext,
): Promise<Credentials> {
  const credentials = await credentialsOf(registry, resolved, context.kubernetes);
  return withheldFrom(image, context.image, credentials);
}

async function applySurrogate(options: SurrogateOptions, context: ReconcileContext): Promise<void> {
  const { kubernetes, applied, log } = context;
  const { name, namespace } = options.registry.metadata;
  // First: a Pod that starts before them sees them a minute later.
  for (const secret of await makeMissingKeys(options.registry, kubernetes)) {
    log.info(`Registry ${namespace}/${name}: Created Secret ${secret}`);
  }
  const objects = surrogateObjects(options);
  const hash = sha256Hex(JSON.stringify(objects));
  const key = keyOf(namespace, name);
  if (applied.has(key, hash)) return;
  await applied.applying(key, hash, () => applyObjects(objects, options, context));
}

async function applyObjects(
  objects: readonly KubernetesObject[],
  options: SurrogateOptions,
  { kubernetes, log }: ReconcileContext,
): Promise<void> {
  const { name, namespace } = options.registry.metadata;
  const { StatefulSet } = resourceTypes;
  const before = await kubernetes.find(StatefulSet, names.surrogate(name), namespace);
  let generation: number | undefined;
  for (const object of objects) {
    ({ generation } = (await kubernetes.apply(object)).metadata);
  }
  // The StatefulSet was the last of them.
  if (generation === before?.metadata.generation) return;
  const [reason, verb] = before === undefined ? ['Created', 'Created'] : ['Updated', 'Updated'];
  const message = `${verb} StatefulSet ${names.surrogate(name)} for ${options.resolved.pushHost}`;
  log.info(`Registry ${namespace}/${name}: ${message}`);
  await recordEvent(kubernetes, options.registry, { type: 'Normal', reason, message }, log);
}

async function look(
  options: SurrogateOptions,
  { kubernetes, signal, askSurrogate }: ReconcileContext,
): Promise<Pick<Observation, 'pod' | 'health'>> {
  const { name, namespace } = options.registry.metadata;
  if (options.registry.spec.replicas === 0) return {};
  const pod = await kubernetes.find<Pod>(resourceTypes.Pod, names.surrogatePod(name), namespace);
  if (pod?.metadata.annotations?.[configAnnotation] !== configHashOf(options)) return {};
  const { phase, podIP } = pod.status ?? {};
  const health =
    phase === 'Running' && podIP !== undefined ? await askSurrogate(podIP, signal) : undefined;
  return { pod, health };
}

async function writeStatus(
  registry: Registry,
  status: RegistryStatus,
  { pod }: Observation,
  { kubernetes, log }: ReconcileContext,
): Promise<void> {
  if (!isStatusNews(registry, status)) return;
  const { apiVersion, kind, metadata } = registry;
  const { name, namespace } = metadata;
  await kubernetes.apply(
    { apiVersion, kind, metadata: { name, namespace }, status },
    { subresource: 'status' },
  );
  const news = readinessNews(registry, status, pod === undefined);
  if (news === undefined) return;
  log.info(`Registry ${namespace}/${name}: ${news.reason}: ${news.message}`);
  await recordEvent(kubernetes, registry, news, log);
}

/** What went wrong, if anything did. */
async function failureOf(action: () => Promise<void>): Promise<Error | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return errorOf(error);
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(explain(error));
}

/** The result, or the error if it is of the kind that is part of what was seen. */
async function attempt<T, E extends Error>(
  action: () => Promise<T>,
  expected: abstract new (...args: never[]) => E,
): Promise<T | E> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof expected) return error;
    throw error;
  }
}
