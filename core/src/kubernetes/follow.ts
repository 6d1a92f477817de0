import { setTimeout as delay } from 'node:timers/promises';

import type {
  ApiObject,
  KubernetesClient,
  ListOptions,
  ResourceType,
  WatchEvent,
} from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';

/** What a collection holds, and from there on every change. */
export type FollowEvent<T> =
  | { readonly type: 'SYNC'; readonly items: readonly T[] }
  | WatchEvent<T>;

/** How {@link follow} is to go on. */
export interface FollowOptions extends ListOptions {
  readonly signal: AbortSignal;
  /** Told of every failure before the pause; what it throws ends it all. */
  readonly onFailure: (error: unknown, delayMs: number) => void;
}

/** client-go's values. */
const firstDelayMs = 800;
const longestDelayMs = 30_000;
const calmAfterMs = 120_000;
/** A server that ends a watch sooner than this is not well: no hurry to ask again. */
const shortWatchMs = 1000;

/** Lists, watches, and begins again whenever that ends, until the signal. */
export async function* follow<T extends ApiObject>(
  client: KubernetesClient,
  type: ResourceType,
  options: FollowOptions,
): AsyncGenerator<FollowEvent<T>, void> {
  const { signal, onFailure, ...narrowed } = options;
  const selection = { ...narrowed, signal };
  const pauses = new Pauses();
  let resourceVersion: string | undefined;
  while (!signal.aborted) {
    const startedAtMs = Date.now();
    try {
      if (resourceVersion === undefined) {
        const list = await client.list<T>(type, selection);
        ({ resourceVersion } = list);
        yield { type: 'SYNC', items: list.items };
      }
      for await (const event of client.watch<T>(type, { ...selection, resourceVersion })) {
        resourceVersion = versionOf(event) ?? resourceVersion;
        yield event;
      }
      if (Date.now() - startedAtMs < shortWatchMs) await pauses.rest(pauses.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      // What the API itself refused (too old, from before a restore) is listed anew; after a lost
      // connection the watch goes on where it was, and the server need not send everything again.
      if (error instanceof KubernetesError) resourceVersion = undefined;
      const delayMs = error instanceof KubernetesError && error.isExpired ? 0 : pauses.next(error);
      onFailure(error, delayMs);
      await pauses.rest(delayMs, signal);
    }
  }
}

function versionOf<T extends ApiObject>(event: WatchEvent<T>): string | undefined {
  const version =
    event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
  return version || undefined;
}

/** Exponential from 800 ms to 30 s with jitter; forgotten after two minutes of calm. */
class Pauses {
  #nextMs = firstDelayMs;
  #lastAtMs = -Infinity;

  next(error?: unknown): number {
    const nowMs = Date.now();
    if (nowMs - this.#lastAtMs > calmAfterMs) this.#nextMs = firstDelayMs;
    this.#lastAtMs = nowMs;
    const baseMs = this.#nextMs;
    this.#nextMs = Math.min(baseMs * 2, longestDelayMs);
    const askedMs = error instanceof KubernetesError ? error.retryAfterMs : 0;
    return Math.max(askedMs, Math.round(baseMs * (1 + Math.random() / 2)));
  }

  async rest(delayMs: number, signal: AbortSignal): Promise<void> {
    // An abort ends the pause; the loop sees it.
    await delay(delayMs, undefined, { signal }).catch(() => {});
  }
}
