import { isTransient, UnsupportedError } from '../errors.ts';
import { KubernetesError, resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { retry } from '../retry.ts';
import { ConflictError } from './deploy-error.ts';
import { describeManifest } from './manifest.ts';
import { changeOf } from './plan.ts';
import type { Applying, Change, Step } from './plan.ts';

/** An object that was applied. */
export interface Applied {
  readonly step: Step;
  /** As the API then had it. */
  readonly object: KubernetesObject;
  readonly change: Change;
}

interface Definition extends KubernetesObject {
  status?: { conditions?: readonly { type: string; status: string }[] };
}

const establishTimeoutMs = 30_000;
/** Of a new kind: the API needs a moment to serve it, and a webhook to answer. */
const patience = { retries: 8, baseDelayMs: 250, maxDelayMs: 3000 };

/**
 * Applies objects, one after the other, and tells of each.
 *
 * @param onApplied Told of each as soon as it is: who fails has to know what was done.
 * @throws {ConflictError} if somebody took a field meanwhile.
 */
export async function applySteps(
  kubernetes: KubernetesClient,
  steps: readonly Step[],
  applying: Applying & { readonly log: Log },
  onApplied: (applied: Applied) => void,
): Promise<void> {
  const { log, ...how } = applying;
  for (const step of steps) {
    const object = await applyOne(kubernetes, step, how);
    const change = changeOf(step.live, object);
    onApplied({ step, object, change });
    log.info(`${change[0]?.toUpperCase()}${change.slice(1)} ${describeManifest(object)}`);
    if (object.kind === 'CustomResourceDefinition') await established(kubernetes, object, how);
  }
}

async function applyOne(
  kubernetes: KubernetesClient,
  { object, expected }: Step,
  how: Applying,
): Promise<KubernetesObject> {
  const apply = (): Promise<KubernetesObject> => kubernetes.apply(object, { ...how, strict: true });
  // What nobody could ask for yet may need another moment.
  const isYetToCome = (error: unknown): boolean =>
    expected === undefined &&
    (error instanceof UnsupportedError || (error instanceof KubernetesError && error.isNotFound));
  try {
    return await retry(apply, {
      ...patience,
      signal: how.signal,
      isWorthwhile: (error) => isTransient(error) || isYetToCome(error),
    });
  } catch (error) {
    const fields = error instanceof KubernetesError ? error.fieldConflicts : [];
    if (fields.length === 0) throw error;
    throw new ConflictError([{ object: describeManifest(object), fields }]);
  }
}

async function established(
  kubernetes: KubernetesClient,
  { metadata: { name } }: KubernetesObject,
  { signal }: Applying,
): Promise<void> {
  const { CustomResourceDefinition } = resourceTypes;
  await waitFor<Definition>(
    kubernetes,
    CustomResourceDefinition,
    { name },
    {
      until: (definition) =>
        definition?.status?.conditions?.some(
          ({ type, status }) => type === 'Established' && status === 'True',
        ),
      describe: () => 'the API does not serve it yet',
      timeoutMs: establishTimeoutMs,
      signal,
    },
  );
}
