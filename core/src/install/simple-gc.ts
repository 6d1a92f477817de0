import { setTimeout as delay } from 'node:timers/promises';

import { collect } from '../bytes.ts';
import { InputError, NotFoundError, TimeoutError, UnsupportedError } from '../errors.ts';
import { KubernetesError, resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, Pod } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import { retry } from '../retry.ts';
import { selectorOf } from './labels.ts';
import { waitForRollout } from './rollout.ts';
import {
  findSimple,
  imageOf,
  isReadOnly,
  readOnlySetting,
  readOnlyVariable,
  storageKindOf,
  withSetting,
} from './simple-deployment.ts';
import type { SimpleDeployment } from './simple-deployment.ts';
import { collectionJob, endOfJob, findCollection, jobType } from './simple-gc-job.ts';
import type { CollectionOptions, Job } from './simple-gc-job.ts';
import { deleteAll } from './teardown.ts';

/** How garbage is collected. */
export interface CollectGarbageOptions extends CollectionOptions {
  readonly namespace: string;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a garbage collection did; with `dryRun`, what it would do. */
export interface Collection {
  readonly blobs: number;
  readonly manifests: number;
}

/** What Distribution says is at most so long: a line per blob. */
const maxLogBytes = 64 * 1024 * 1024;
const pollEveryMs = 500;
/** A Pod has 30 s to end. */
const endTimeoutMs = 60_000;

/**
 * Removes what no manifest refers to any more from the simple registry.
 *
 * The registry is read-only meanwhile: a push under way could lose what was not named yet. It takes
 * pushes again afterwards, whatever has happened; if this process is killed, the operator sees to
 * that ({@link endAbandonedCollection}).
 *
 * @throws {UnsupportedError} if the images are in the Pod alone, or would be damaged.
 * @throws {InputError} if a collection is under way.
 * @throws {TimeoutError} if it does not end in time.
 */
export async function collectGarbage(
  kubernetes: KubernetesClient,
  options: CollectGarbageOptions,
): Promise<Collection> {
  const { namespace, log = silent } = options;
  const deployment = await collectable(kubernetes, options);
  await reserve(kubernetes, collectionJob(deployment, options));
  try {
    await setReadOnly(kubernetes, { ...options, log, value: true });
    log.info('The registry is read-only; collecting');
    await begin(kubernetes, namespace);
    return await outcomeOf(kubernetes, options);
  } finally {
    // Without the signal: also after Ctrl-C.
    await endCollection(kubernetes, { namespace, timeoutMs: options.timeoutMs, log });
  }
}

/** First the Job, with its Pods: it must not delete while somebody writes. */
async function endCollection(
  kubernetes: KubernetesClient,
  options: Omit<ReadOnlyOptions, 'value'>,
): Promise<void> {
  const { namespace, log } = options;
  try {
    const jobs = [[jobType, names.simpleGc]] as const;
    await deleteAll(kubernetes, jobs, { namespace, wait: true, timeoutMs: endTimeoutMs });
  } finally {
    await setReadOnly(kubernetes, { ...options, value: false });
    log.info('The registry takes pushes again');
  }
}

/** @throws if garbage cannot be collected from it. */
async function collectable(
  kubernetes: KubernetesClient,
  { namespace, deleteUntagged }: CollectGarbageOptions,
): Promise<SimpleDeployment> {
  const deployment = await findSimple(kubernetes, namespace);
  if (deployment === undefined) {
    throw new NotFoundError(
      `Cannot collect garbage: there is no simple registry in namespace "${namespace}"`,
    );
  }
  if (storageKindOf(deployment) === 'temporary') {
    throw new UnsupportedError(
      'Cannot collect garbage: the images are in the Pod alone, and read-only is another Pod; want --storage or --s3-bucket, or a new Pod, which is empty',
    );
  }
  if (deleteUntagged && /registry:2(\.|$|@|-)/.test(imageOf(deployment) ?? '')) {
    throw new UnsupportedError(
      'Cannot delete untagged manifests: Distribution 2 takes those of images of several platforms for untagged (distribution/distribution#3178); want registry:3',
    );
  }
  return deployment;
}

/** The Job is the lock: there is one by that name. */
async function reserve(kubernetes: KubernetesClient, job: Job): Promise<void> {
  const { namespace = '' } = job.metadata;
  const before = await findCollection(kubernetes, namespace);
  if (before !== undefined && endOfJob(before) !== undefined) {
    const jobs = [[jobType, names.simpleGc]] as const;
    await deleteAll(kubernetes, jobs, { namespace, wait: true, timeoutMs: endTimeoutMs });
  }
  try {
    await kubernetes.create(job);
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new InputError(
      `Cannot collect garbage: a collection is under way in namespace "${namespace}"; want Job ${names.simpleGc} to end first`,
      { cause: error },
    );
  }
}

/** Lets the Job run. */
async function begin(kubernetes: KubernetesClient, namespace: string): Promise<void> {
  await insist(async () => {
    const job = await kubernetes.get<Job>(jobType, names.simpleGc, namespace);
    await kubernetes.replace({ ...job, spec: { ...job.spec, suspend: false } });
  });
}

/** Tries again when a controller has written in between, as they do. */
async function insist<T>(change: () => Promise<T>): Promise<T> {
  return retry(change, { retries: 5, baseDelayMs: 100, isWorthwhile: isConflict });
}

function isConflict(error: unknown): boolean {
  return error instanceof KubernetesError && error.status === 409;
}

interface ReadOnlyOptions {
  readonly namespace: string;
  readonly value: boolean;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes it so, and waits until no Pod of before is left: one that is about to go may still write, or
 * still refuse to.
 */
async function setReadOnly(kubernetes: KubernetesClient, options: ReadOnlyOptions): Promise<void> {
  const { namespace, value, timeoutMs, signal } = options;
  if (!(await putReadOnly(kubernetes, namespace, value))) return;
  await waitForRollout(kubernetes, names.simple, namespace, { timeoutMs, signal });
  await waitForLeavers(kubernetes, options);
}

/** @returns Whether that was a change. */
async function putReadOnly(
  kubernetes: KubernetesClient,
  namespace: string,
  value: boolean,
): Promise<boolean> {
  return insist(async () => {
    const deployment = await findSimple(kubernetes, namespace);
    if (deployment === undefined || isReadOnly(deployment) === value) return false;
    await kubernetes.replace(withSetting(deployment, readOnlyVariable, readOnlySetting(value)));
    return true;
  });
}

async function waitForLeavers(
  kubernetes: KubernetesClient,
  { namespace, timeoutMs, signal }: ReadOnlyOptions,
): Promise<void> {
  const [[label, value] = ['', '']] = Object.entries(selectorOf(names.simple));
  const until = Date.now() + timeoutMs;
  for (;;) {
    const labelSelector = `${label}=${value}`;
    const { items } = await kubernetes.list(resourceTypes.Pod, {
      namespace,
      labelSelector,
      signal,
    });
    if (items.every(({ metadata }) => metadata.deletionTimestamp === undefined)) return;
    if (Date.now() > until) {
      throw new TimeoutError(
        `Cannot wait any longer for a former Pod of ${namespace}/${names.simple} to go`,
      );
    }
    await delay(pollEveryMs, undefined, signal ? { signal } : {});
  }
}

async function outcomeOf(
  kubernetes: KubernetesClient,
  { namespace, timeoutMs, signal }: CollectGarbageOptions,
): Promise<Collection> {
  const target = { name: names.simpleGc, namespace };
  const job = await waitFor<Job>(kubernetes, jobType, target, {
    until: (each) => each !== undefined && endOfJob(each) !== undefined,
    describe: () => 'it is still at work',
    timeoutMs,
    signal,
  });
  const said = await logOf(kubernetes, namespace, signal);
  if (endOfJob(job) === 'complete' || nothingThere.test(said)) return countsIn(said);
  const why = job.status?.conditions?.find(({ type }) => type === 'Failed')?.message ?? 'it failed';
  const end = said.trim().split('\n').slice(-3).join(' ');
  throw new UnsupportedError(`Cannot collect garbage: Job ${names.simpleGc}: ${why}; ${end}`);
}

async function logOf(
  kubernetes: KubernetesClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const labelSelector = `job-name=${names.simpleGc}`;
  const { items } = await kubernetes.list<Pod>(resourceTypes.Pod, { namespace, labelSelector });
  const pod = items.at(-1);
  if (pod === undefined) return '';
  const options = { container: 'registry', ...(signal ? { signal } : {}) };
  const bytes = kubernetes.logs(pod.metadata.name, namespace, options);
  return (await collect(bytes, 'the log of the collection', maxLogBytes)).toString('utf8');
}

/** Distribution 3 fails where nothing was ever pushed. */
const nothingThere = /Path not found: \S*\/repositories/;

/** `3 blobs marked, 2 blobs and 1 manifests eligible for deletion` */
function countsIn(log: string): Collection {
  const [, blobs = '0', manifests = '0'] =
    /(\d+) blobs and (\d+) manifests eligible for deletion/.exec(log) ?? [];
  return { blobs: Number(blobs), manifests: Number(manifests) };
}

/** A collection that has not begun for so long was given up by whoever asked for it. */
const abandonedMs = 60 * 60_000;

/**
 * Lets a registry take pushes again that a collection has left read-only, because whoever asked for
 * it was killed. For the operator, now and then.
 *
 * @returns Whether it did.
 */
export async function endAbandonedCollection(
  kubernetes: KubernetesClient,
  namespace: string,
  now: Date = new Date(),
): Promise<boolean> {
  const deployment = await findSimple(kubernetes, namespace);
  if (deployment === undefined || !isReadOnly(deployment)) return false;
  const job = await findCollection(kubernetes, namespace);
  if (job !== undefined && endOfJob(job) === undefined && !isAbandoned(job, now)) return false;
  return putReadOnly(kubernetes, namespace, false);
}

function isAbandoned({ metadata, spec }: Job, now: Date): boolean {
  const ageMs = now.getTime() - Date.parse(metadata.creationTimestamp ?? '');
  return spec?.suspend === true && ageMs > abandonedMs;
}
