import { setTimeout as delay } from 'node:timers/promises';

import { explain, TimeoutError } from '../errors.ts';
import type { ApiObject, KubernetesClient, ResourceType } from './client.ts';
import { follow } from './follow.ts';
import type { FollowEvent } from './follow.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { describeObject } from './paths.ts';

/** What is waited for. */
export interface WaitOptions<T> {
  /** Told of every state, `undefined` while there is no such object; what it throws ends the wait. */
  readonly until: (object: T | undefined) => boolean | undefined;
  /** What is still missing, for the error: `0 of 1 replicas are ready`. */
  readonly describe: (object: T) => string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Which object; the namespace is the kubeconfig's by default. */
export interface WaitTarget {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** For callers who may get an object but not watch it. */
const pollEveryMs = 1000;

/**
 * Waits until an object is as it should be.
 *
 * @returns The object as it then was; `undefined` only where `until` accepts that there is none.
 * @throws {TimeoutError} that says what it was last.
 * @throws {KubernetesError} if this caller may not see it.
 */
export async function waitFor<T extends ApiObject>(
  client: KubernetesClient,
  type: ResourceType,
  target: WaitTarget,
  options: WaitOptions<T>,
): Promise<T> {
  const { name, namespace: given = client.namespace } = target;
  const namespace = type.namespaced ? given : undefined;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let last: T | undefined;
  let trouble: unknown;
  const isDone = (object: T | undefined): boolean => {
    [last, trouble] = [object, undefined];
    return options.until(object) === true;
  };
  const onFailure = (error: unknown): void => {
    if (isHopeless(error)) throw error;
    trouble = error;
  };
  const scope = { name, namespace, signal, onFailure };
  try {
    for await (const object of states<T>(client, type, scope)) {
      if (isDone(object)) return object as T;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  options.signal?.throwIfAborted();
  const state = last ? options.describe(last) : 'it does not exist';
  throw new TimeoutError(
    `Cannot wait any longer for ${describeObject(type, name, namespace)}: ` +
      `after ${options.timeoutMs / 1000} s ${trouble ? explain(trouble) : state}`,
  );
}

interface Scope {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown) => void;
}

async function* states<T extends ApiObject>(
  client: KubernetesClient,
  type: ResourceType,
  scope: Scope,
): AsyncGenerator<T | undefined, void> {
  const { name, ...followed } = scope;
  const fieldSelector = `metadata.name=${name}`;
  try {
    for await (const event of follow<T>(client, type, { ...followed, fieldSelector })) {
      if (event.type !== 'BOOKMARK') yield stateOf(event);
    }
  } catch (error) {
    if (!(error instanceof KubernetesError && error.isForbidden)) throw error;
    yield* polled<T>(client, type, scope);
  }
}

function stateOf<T extends ApiObject>(
  event: Exclude<FollowEvent<T>, { type: 'BOOKMARK' }>,
): T | undefined {
  if (event.type === 'SYNC') return event.items[0];
  return event.type === 'DELETED' ? undefined : event.object;
}

async function* polled<T extends ApiObject>(
  client: KubernetesClient,
  type: ResourceType,
  { name, namespace, signal, onFailure }: Scope,
): AsyncGenerator<T | undefined, void> {
  while (!signal.aborted) {
    let seen: { object: T | undefined } | undefined;
    try {
      seen = { object: await client.find<T>(type, name, namespace, signal) };
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    }
    if (seen) yield seen.object;
    await delay(pollEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** Neither rights nor a kubeconfig come by waiting. */
function isHopeless(error: unknown): boolean {
  if (error instanceof KubeconfigError) return true;
  return error instanceof KubernetesError && (error.isForbidden || error.status === 401);
}
