import { setTimeout as delay } from 'node:timers/promises';

import { isExpectedBack, isTransient } from './errors.ts';

/** How often, and how patiently, something is tried again. */
export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  /** What is expected back is waited for so long, however many tries that takes; unless `retries` is 0. */
  readonly patienceMs?: number;
  /** Before the second try; doubled from there. */
  readonly baseDelayMs?: number;
  /** No pause is longer, unless the other side asks for it with Retry-After. */
  readonly maxDelayMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
  /** How far the work has come: tries are counted anew whenever it has grown since the last failure. */
  readonly progress?: () => number;
  /** Which failures are worth another try; by default those whose error says so itself. */
  readonly isWorthwhile?: (error: unknown) => boolean;
}

/**
 * Runs `attempt` until it succeeds, fails for good, or has had its tries.
 *
 * The pause grows exponentially, half of it by chance, so that many clients of a restarted registry do
 * not come back in step; and half of it not, or all tries could be over while somebody restarts. An
 * error's own `retryAfterMs` is a lower bound.
 *
 * @param attempt Gets the number of the try, from 0.
 * @throws what the last attempt threw.
 */
export async function retry<T>(
  attempt: (tryNumber: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { signal, progress, isWorthwhile = isTransient } = options;
  const patience = new Patience(options);
  let failures = 0;
  let furthest = progress?.() ?? 0;
  for (let tryNumber = 0; ; tryNumber++) {
    try {
      return await attempt(tryNumber);
    } catch (error) {
      signal?.throwIfAborted();
      const reached = progress?.() ?? 0;
      if (reached > furthest) failures = 0;
      furthest = Math.max(furthest, reached);
      if (!isWorthwhile(error) || !patience.hasFor(error, failures)) throw error;
      await pauseAfter(error, failures++, options);
    }
  }
}

/** Image pulls and evictions take a minute or more, and a few tries would be over in a quarter of one. */
const defaultPatienceMs = 120_000;

/** When it is time to give up. */
class Patience {
  readonly #retries: number;
  readonly #patienceMs: number;
  /** Since when nothing but what is expected back has failed. */
  #awaySince: number | undefined;

  constructor({ retries, patienceMs = defaultPatienceMs }: RetryOptions) {
    this.#retries = retries;
    this.#patienceMs = patienceMs;
  }

  hasFor(error: unknown, failures: number): boolean {
    if (!isExpectedBack(error)) this.#awaySince = undefined;
    else this.#awaySince ??= performance.now();
    if (failures < this.#retries) return true;
    if (this.#retries === 0 || this.#awaySince === undefined) return false;
    return performance.now() - this.#awaySince < this.#patienceMs;
  }
}

/**
 * The pause of {@link retry}, for what has to be tried again in another way.
 *
 * @param failures How many there were before this one.
 * @throws the signal's own reason, not an error of the timer.
 */
export async function pauseAfter(
  failure: unknown,
  failures: number,
  options: Pick<RetryOptions, 'baseDelayMs' | 'maxDelayMs' | 'signal' | 'onRetry'>,
): Promise<void> {
  const { signal } = options;
  const delayMs = delayOf(failures, failure, options);
  options.onRetry?.(failure, delayMs);
  try {
    await delay(delayMs, undefined, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause;
  }
}

function delayOf(
  failures: number,
  error: unknown,
  options: Pick<RetryOptions, 'baseDelayMs' | 'maxDelayMs'>,
): number {
  const { baseDelayMs = 500, maxDelayMs = 10_000 } = options;
  const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** failures);
  return Math.max((0.5 + Math.random() / 2) * ceiling, retryAfterMsOf(error));
}

function retryAfterMsOf(error: unknown): number {
  const asked = error instanceof Error && 'retryAfterMs' in error ? Number(error.retryAfterMs) : 0;
  return Number.isFinite(asked) ? asked : 0;
}
