import { explain, InputError } from '../errors.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { applySteps } from './apply-steps.ts';
import type { Applied } from './apply-steps.ts';
import { RolloutError } from './deploy-error.ts';
import type { DeployedObject, DeployResult, RollbackOutcome } from './deploy-result.ts';
import { contentsOf, leftoversOf, memberLabelsOf, readSet, union, writeSet } from './deploy-set.ts';
import type { Contents, DeploySet, Leftover } from './deploy-set.ts';
import { diffOf } from './diff.ts';
import type { ImagePath } from './image-fields.ts';
import type { ImagePin } from './image-pin.ts';
import { inOrder } from './kind-order.ts';
import { describeManifest, refuseDuplicates } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { pinImages } from './pin-images.ts';
import type { PinnedImage } from './pin-images.ts';
import { newNamespaces, placeManifests } from './placement.ts';
import type { Placed } from './placement.ts';
import { planSteps } from './plan.ts';
import type { Applying, Step } from './plan.ts';
import { readable } from './readable.ts';
import { rollBack } from './rollback.ts';
import { waitForRollouts } from './rollout.ts';

/** How manifests are deployed. */
export interface DeployOptions {
  /** Of objects that name none. */
  readonly namespace: string;
  readonly images?: readonly ImagePin[] | undefined;
  /** Where custom kinds name images. */
  readonly imagePaths?: readonly ImagePath[] | undefined;
  /** The name of the set that these manifests are: what was in it and is no longer can be pruned. */
  readonly set?: string | undefined;
  /** Delete what is in the set and not in the manifests; after everything else runs. */
  readonly prune?: boolean | undefined;
  readonly createNamespace?: boolean | undefined;
  /** Take over fields that other managers own. */
  readonly forceConflicts?: boolean | undefined;
  /** Ask the API what would be, and change nothing. */
  readonly dryRun?: boolean | undefined;
  /** Return only when everything runs; by default. */
  readonly wait?: boolean | undefined;
  /** If it does not, take back what was applied. */
  readonly rollback?: boolean | undefined;
  /** For everything, the rollback included. */
  readonly timeoutMs?: number | undefined;
  /** How long a Pod may fail to pull or to start before the rollout counts as failed. */
  readonly stuckAfterMs?: number | undefined;
  readonly fieldManager?: string | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What holds if nobody says otherwise. */
export const deployDefaults = {
  timeoutMs: 300_000,
  stuckAfterMs: 20_000,
  fieldManager: 'reposure-deploy',
} as const;

/** Of the time, for a rollback: Pods of the old version mostly run still. */
const rollbackShare = 0.2;
const longestRollbackMs = 60_000;

/**
 * Deploys manifests: images put in by digest, applied server-side in an order that works, and waited
 * for until they run.
 *
 * Before anything is applied, the API is asked what it would make of each: a manifest that is
 * refused, or a field that somebody else manages, leaves everything as it was.
 *
 * @throws {InputError} if manifests, images or options do not fit together.
 * @throws {NotFoundError} if a namespace does not exist.
 * @throws {ConflictError} if other managers own what would change.
 * @throws {RolloutError} that says why something does not run, and whether it was rolled back.
 */
export async function deploy(
  kubernetes: KubernetesClient,
  manifests: readonly Manifest[],
  options: DeployOptions,
): Promise<DeployResult> {
  const deployment = new Deployment(kubernetes, options);
  return deployment.run(manifests);
}

class Deployment {
  readonly #kubernetes: KubernetesClient;
  readonly #options: DeployOptions;
  readonly #set: DeploySet | undefined;
  readonly #applying: Applying & { readonly fieldManager: string };
  readonly #log: Log;
  readonly #startedMs = performance.now();
  #pinned: readonly PinnedImage[] = [];

  constructor(kubernetes: KubernetesClient, options: DeployOptions) {
    const { namespace, set, prune, forceConflicts, signal, log = silent } = options;
    const { fieldManager = deployDefaults.fieldManager } = options;
    if (prune && set === undefined) {
      throw new InputError('Cannot prune without a set: want its name, e.g. --set app --prune');
    }
    this.#kubernetes = kubernetes;
    this.#options = options;
    this.#set = set === undefined ? undefined : { name: set, namespace };
    this.#applying = { fieldManager, force: forceConflicts ?? false, signal };
    this.#log = log;
  }

  async run(given: readonly Manifest[]): Promise<DeployResult> {
    const { images = [], imagePaths = [], dryRun = false, wait = true } = this.#options;
    const manifests = given.map(({ object, origin }) => ({
      object: structuredClone(object),
      origin,
    }));
    this.#pinned = pinImages(manifests, images, imagePaths);
    const { placed, fresh } = await this.#place(manifests);
    const former = this.#set && (await readSet(this.#kubernetes, this.#set));
    const steps = await planSteps(this.#kubernetes, placed, fresh, this.#applying);
    const objects = steps.map(({ object }) => object);
    const leftovers = await this.#leftovers(former, objects);
    if (dryRun) return this.#result([...steps.map(planned), ...leftovers.map(pruned)]);
    const applied = await this.#apply(steps, former);
    for (const leftover of leftovers) await this.#prune(leftover);
    const kept = leftovers.filter(({ isKept }) => isKept).map(({ object }) => object);
    // Without a prune, what was in it is in it still.
    if (this.#options.prune) await this.#writeSet(contentsOf([...objects, ...kept]));
    return { ...this.#resultSoFar(applied, leftovers), waited: wait };
  }

  async #place(
    manifests: readonly Manifest[],
  ): Promise<{ placed: Placed[]; fresh: ReadonlySet<string> }> {
    const { namespace, createNamespace: create = false } = this.#options;
    const labels = this.#set ? memberLabelsOf(this.#set) : {};
    const where = { namespace, labels };
    const placed = await placeManifests(this.#kubernetes, manifests, where);
    refuseDuplicates(placed);
    const fresh = await newNamespaces(this.#kubernetes, placed, { create });
    const isMade = (name: string): boolean =>
      placed.some(({ object }) => object.kind === 'Namespace' && object.metadata.name === name);
    const made = [...fresh].filter((name) => !isMade(name)).map(namespaceNamed);
    const added = await placeManifests(this.#kubernetes, made, { namespace, labels: {} });
    return { placed: inOrder([...added, ...placed]), fresh };
  }

  async #leftovers(
    former: Contents | undefined,
    objects: readonly KubernetesObject[],
  ): Promise<Leftover[]> {
    if (!this.#set || !this.#options.prune) return [];
    return leftoversOf(this.#kubernetes, this.#set, former, objects);
  }

  /** Applies and waits; what fails is taken back, if that was asked for. */
  async #apply(steps: readonly Step[], former: Contents | undefined): Promise<Applied[]> {
    const applied: Applied[] = [];
    const how = { ...this.#applying, log: this.#log };
    const [first, rest] = this.#splitByNamespace(steps);
    try {
      await applySteps(this.#kubernetes, first, how, (each) => applied.push(each));
      await this.#writeSet(union(former, contentsOf(steps.map(({ object }) => object))));
      await applySteps(this.#kubernetes, rest, how, (each) => applied.push(each));
    } catch (error) {
      const rollback = await this.#rollBack(applied);
      if (rollback.state === 'none') throw error;
      const failure = { object: 'the manifests', reason: explain(error) };
      throw new RolloutError([failure], rollback, this.#resultSoFar(applied));
    }
    if (this.#options.wait ?? true) await this.#waitFor(applied);
    return applied;
  }

  /** The set's ConfigMap wants its namespace, and is there before anything else. */
  #splitByNamespace(steps: readonly Step[]): [Step[], Step[]] {
    const { first = [], rest = [] } = Object.groupBy(steps, ({ object }) =>
      object.kind === 'Namespace' ? 'first' : 'rest',
    );
    return [first, rest];
  }

  async #waitFor(applied: readonly Applied[]): Promise<void> {
    const { rollback = false, stuckAfterMs = deployDefaults.stuckAfterMs } = this.#options;
    const awaited = applied.map(({ object, step }) => ({ object, type: step.type }));
    this.#log.info('Waiting until everything runs');
    const failures = await waitForRollouts(this.#kubernetes, awaited, {
      timeoutMs: Math.max(1, this.#remainingMs() - (rollback ? this.#rollbackMs() : 0)),
      stuckAfterMs,
      signal: this.#options.signal,
    });
    if (failures.length === 0) return;
    throw new RolloutError(failures, await this.#rollBack(applied), this.#resultSoFar(applied));
  }

  async #rollBack(applied: readonly Applied[]): Promise<RollbackOutcome> {
    if (!this.#options.rollback) return { state: 'none' };
    const { stuckAfterMs = deployDefaults.stuckAfterMs, signal } = this.#options;
    this.#log.warn('It failed: taking back what was applied');
    return rollBack(this.#kubernetes, applied, {
      fieldManager: this.#applying.fieldManager,
      timeoutMs: Math.max(this.#rollbackMs(), this.#remainingMs()),
      stuckAfterMs,
      log: this.#log,
      signal,
    });
  }

  async #prune({ object, isKept }: Leftover): Promise<void> {
    if (isKept) {
      this.#log.warn(`${describeManifest(object)} is no longer in the manifests, and is kept`);
      return;
    }
    const { name, namespace, uid } = object.metadata;
    const type = await this.#kubernetes.typeOf(object);
    await this.#kubernetes.delete(type, name, namespace, uid === undefined ? {} : { uid });
    this.#log.info(`Pruned ${describeManifest(object)}`);
  }

  async #writeSet(contents: Contents): Promise<void> {
    if (this.#set) await writeSet(this.#kubernetes, this.#set, contents, this.#applying);
  }

  #rollbackMs(): number {
    const { timeoutMs = deployDefaults.timeoutMs } = this.#options;
    return Math.min(longestRollbackMs, timeoutMs * rollbackShare);
  }

  #remainingMs(): number {
    const { timeoutMs = deployDefaults.timeoutMs } = this.#options;
    return Math.max(0, Math.round(timeoutMs - (performance.now() - this.#startedMs)));
  }

  #resultSoFar(applied: readonly Applied[], leftovers: readonly Leftover[] = []): DeployResult {
    const changes = applied.map(({ object, change }) => deployed(object, change));
    return this.#result([...changes, ...leftovers.map(pruned)]);
  }

  #result(objects: DeployedObject[]): DeployResult {
    const { namespace, dryRun = false } = this.#options;
    return {
      namespace,
      images: this.#pinned.map(({ places, ...pin }) => ({ ...pin, places: [...places] })),
      objects,
      waited: false,
      dryRun,
      durationMs: Math.round(performance.now() - this.#startedMs),
    };
  }
}

function planned({ object, live, expected, change }: Step): DeployedObject {
  const diff = change === 'unchanged' ? '' : diffOf(readable(live), readable(expected ?? object));
  return { ...deployed(object, change), ...(diff ? { diff } : {}) };
}

function pruned({ object, isKept }: Leftover): DeployedObject {
  return deployed(object, isKept ? 'kept' : 'pruned');
}

function deployed(
  { apiVersion, kind, metadata }: KubernetesObject,
  change: DeployedObject['change'],
): DeployedObject {
  const { name, namespace } = metadata;
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name, change };
}

function namespaceNamed(name: string): Manifest {
  return {
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    origin: '--create-namespace',
  };
}
