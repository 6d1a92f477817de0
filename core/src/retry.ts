import { setTimeout as delay } from 'node:timers/promises';

import { isTransient } from './errors.ts';

/** How often, and how patiently, something is tried again. */
export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  /** Before the second try; doubled from there. */
  readonly baseDelayMs?: number;
  /** No pause is longer, unless the other side asks for it with Retry-After. */
  readonly maxDelayMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
  /** Which failures are worth another try; by default those whose error says so itself. */
  readonly isWorthwhile?: (error: unknown) => boolean;
}

/**
 * Runs `attempt` until it succeeds, fails for good, or has had its tries.
 *
 * The pause grows exponentially with full jitter, so that many clients of a restarted registry do
 * not come back in step; an error's own `retryAfterMs` is a lower bound.
 *
 * @param attempt Gets the number of the try, from 0.
 * @throws what the last attempt threw.
 */
export async function retry<T>(
  attempt: (tryNumber: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { retries, signal, isWorthwhile = isTransient } = options;
  for (let tryNumber = 0; ; tryNumber++) {
    try {
      return await attempt(tryNumber);
    } catch (error) {
      if (tryNumber >= retries || signal?.aborted || !isWorthwhile(error)) throw error;
      const delayMs = delayOf(tryNumber, error, options);
      options.onRetry?.(error, delayMs);
      await delay(delayMs, undefined, signal ? { signal } : {});
    }
  }
}

function delayOf(tryNumber: number, error: unknown, options: RetryOptions): number {
  const { baseDelayMs = 250, maxDelayMs = 10_000 } = options;
  const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** tryNumber);
  return Math.max(Math.random() * ceiling, retryAfterMsOf(error));
}

function retryAfterMsOf(error: unknown): number {
  const asked = error instanceof Error && 'retryAfterMs' in error ? Number(error.retryAfterMs) : 0;
  return Number.isFinite(asked) ? asked : 0;
}
