import { explain } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ApiObject, KubernetesClient, ListOptions, ResourceType } from './client.ts';
import { follow } from './follow.ts';
import type { FollowEvent } from './follow.ts';
import { KubernetesError } from './kubernetes-error.ts';

/**
 * Everything in a collection, for as long as it takes: first a SYNC with all items, then events;
 * another SYNC whenever the server has forgotten where we were.
 *
 * Survives whatever the server and the network do, and ends only by the signal.
 */
export async function* watchAll<T extends ApiObject>(
  client: KubernetesClient,
  type: ResourceType,
  options: ListOptions & { readonly signal: AbortSignal; readonly log: Log },
): AsyncGenerator<FollowEvent<T>, void> {
  const { log, ...followed } = options;
  const onFailure = (error: unknown, delayMs: number): void => {
    const text = `${explain(error)}; asking again in ${Math.round(delayMs)} ms`;
    // Being told that a version has expired is ordinary business.
    if (error instanceof KubernetesError && error.isExpired) log.debug(text);
    else log.warn(text);
  };
  yield* follow<T>(client, type, { ...followed, onFailure });
}
