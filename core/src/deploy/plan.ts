import { isDeepStrictEqual } from 'node:util';

import { KubernetesError } from '../kubernetes/index.ts';
import type { ApplyOptions, KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { mapConcurrently } from '../transfer/concurrency.ts';
import { ConflictError, RefusedError } from './deploy-error.ts';
import { describeManifest } from './manifest.ts';
import type { Placed } from './placement.ts';
import { withoutOwnFields } from './readable.ts';

/** What becomes of an object. */
export type Change = 'created' | 'configured' | 'unchanged';

/** One object that is to be applied. */
export interface Step extends Placed {
  /** What is there now. */
  readonly live: KubernetesObject | undefined;
  /** What the API would make of it; `undefined` where its namespace or its kind is yet to come. */
  readonly expected: KubernetesObject | undefined;
  readonly change: Change;
}

/** How objects are applied. */
export type Applying = Pick<ApplyOptions, 'fieldManager' | 'force' | 'signal'>;

/** At a time: enough for a slow link, and no burden for the API. */
const concurrency = 8;

/**
 * Asks the API what it would make of every object, so that nothing is applied if one is refused.
 *
 * @param manifests In the order in which they will be applied.
 * @param fresh Namespaces that are not there yet.
 * @throws {ConflictError} if other managers own what would change, and force was not asked for.
 * @throws {RefusedError} if the API refuses several, or what it said if it refuses one.
 */
export async function planSteps(
  kubernetes: KubernetesClient,
  manifests: readonly Placed[],
  fresh: ReadonlySet<string>,
  applying: Applying,
): Promise<Step[]> {
  const [definitions, others] = split(manifests);
  const refusals: Refusal[] = [];
  const ask =
    (isCheckable: (placed: Placed) => boolean) =>
    async (placed: Placed): Promise<Step> => {
      try {
        return await stepOf(kubernetes, placed, { ...applying, isCheckable: isCheckable(placed) });
      } catch (error) {
        refusals.push({ placed, error });
        return { ...placed, live: undefined, expected: undefined, change: 'created' };
      }
    };
  const first = await mapConcurrently(
    definitions,
    concurrency,
    ask(() => true),
  );
  const changed = new Set(
    first.filter(({ change }) => change !== 'unchanged').map(({ object }) => object.metadata.name),
  );
  const isCheckable = ({ object, definition = '' }: Placed): boolean =>
    !fresh.has(object.metadata.namespace ?? '') && !changed.has(definition);
  const rest = await mapConcurrently(others, concurrency, ask(isCheckable));
  refuse(refusals);
  const steps = new Map([...first, ...rest].map((step) => [step.object, step]));
  return manifests.flatMap(({ object }) => steps.get(object) ?? []);
}

interface Refusal {
  readonly placed: Placed;
  readonly error: unknown;
}

function split(manifests: readonly Placed[]): [Placed[], Placed[]] {
  const { definitions = [], others = [] } = Object.groupBy(manifests, ({ object }) =>
    object.kind === 'CustomResourceDefinition' ? 'definitions' : 'others',
  );
  return [definitions, others];
}

async function stepOf(
  kubernetes: KubernetesClient,
  placed: Placed,
  { isCheckable, ...applying }: Applying & { readonly isCheckable: boolean },
): Promise<Step> {
  const { object, type } = placed;
  const { name, namespace } = object.metadata;
  const live = await kubernetes.find<KubernetesObject>(type, name, namespace, applying.signal);
  const expected = isCheckable ? await dryRun(kubernetes, object, applying) : undefined;
  return { ...placed, live, expected, change: changeOf(live, expected) };
}

/** `undefined` where a webhook of the cluster cannot be asked without doing it. */
async function dryRun(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  applying: Applying,
): Promise<KubernetesObject | undefined> {
  try {
    return await kubernetes.apply(object, { ...applying, strict: true, dryRun: true });
  } catch (error) {
    if (error instanceof KubernetesError && /does not support dry run/.test(error.message)) return;
    throw error;
  }
}

/** What an apply did, or would do. */
export function changeOf(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): Change {
  if (!before) return 'created';
  const isSame = after && isDeepStrictEqual(withoutOwnFields(before), withoutOwnFields(after));
  return isSame ? 'unchanged' : 'configured';
}

function refuse(refusals: readonly Refusal[]): void {
  const conflicts = refusals.flatMap(({ placed, error }) => {
    const fields = error instanceof KubernetesError ? error.fieldConflicts : [];
    return fields.length > 0 ? [{ object: describeManifest(placed.object), fields }] : [];
  });
  if (refusals.length === 0) return;
  if (conflicts.length === refusals.length) throw new ConflictError(conflicts);
  const [only] = refusals;
  if (refusals.length === 1) throw only?.error;
  throw new RefusedError(refusals.map(({ error }) => error));
}
