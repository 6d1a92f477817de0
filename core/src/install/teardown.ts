import { waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, ResourceType } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';

/** How several objects of a namespace are deleted. */
export interface TeardownOptions {
  readonly namespace: string;
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes objects in order, those that are there; with `wait`, what they own goes first.
 *
 * @throws {KubernetesError} if the API refuses.
 * @throws {TimeoutError} if `wait`, and one is still there in the end.
 */
export async function deleteAll(
  kubernetes: KubernetesClient,
  objects: readonly (readonly [ResourceType, string])[],
  options: TeardownOptions,
): Promise<void> {
  const { namespace, wait = false, log = silent } = options;
  for (const [type, name] of objects) {
    const wasThere = await kubernetes.delete(type, name, namespace, {
      propagationPolicy: wait ? 'Foreground' : 'Background',
    });
    if (!wasThere) continue;
    if (wait) await waitUntilGone(kubernetes, type, name, options);
    log.info(`Deleted ${type.kind} ${namespace}/${name}`);
  }
}

/** Waits until an object is no longer there. @throws {TimeoutError} if it stays. */
export async function waitUntilGone(
  kubernetes: KubernetesClient,
  type: ResourceType,
  name: string,
  { namespace, timeoutMs = 120_000, signal }: TeardownOptions,
): Promise<void> {
  await waitFor(
    kubernetes,
    type,
    { name, namespace },
    {
      until: (object) => object === undefined,
      describe: () => 'it is still being deleted',
      timeoutMs,
      signal,
    },
  );
}
