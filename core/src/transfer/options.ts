import { explain } from '../errors.ts';
import type { Log } from '../log.ts';
import type { OnProgress } from '../progress.ts';
import { retry } from '../retry.ts';

/** Where transfers remember what helps the next one: uploads begun, layers sent. */
export interface TransferState {
  /** `$XDG_STATE_HOME/reposure`; made if it is not there, 0700. */
  readonly directory: string;
  /** Tells registries apart: the UID of the Registry resource, or a host. */
  readonly registry: string;
}

/** What every transfer takes. */
export interface TransferOptions {
  /** The names by which Pods push and nodes pull, for the references in the result. */
  readonly pushHost?: string | undefined;
  readonly pullHost?: string | undefined;
  /** Tries after the first one, for each blob and manifest. */
  readonly retries?: number;
  /** Blobs that travel at the same time. */
  readonly concurrency?: number;
  /** A request that moves no byte for so long is broken off, and tried again. */
  readonly stallTimeoutMs?: number;
  /** What this machine remembers from one transfer to the next; nothing without it. */
  readonly state?: TransferState | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
  readonly log?: Log;
  /** Of {@link beginTransfer}: what it is part of. By itself it begins when it is called. */
  readonly course?: Course;
}

/** How often and how widely a transfer works unless told otherwise. */
export const transferDefaults = { retries: 5, concurrency: 4, stallTimeoutMs: 60_000 } as const;

/** Questions without a body cost next to nothing, so more of them are under way at once. */
export const questionsAtOnce = 16;

/**
 * Runs a request of a transfer again as its options allow, and tells whoever watches.
 *
 * @param progress How far several requests have come together: each step earns them all tries anew.
 */
export type Retrying = <T>(
  what: string,
  attempt: () => Promise<T>,
  progress?: () => number,
) => Promise<T>;

/** The {@link Retrying} of a transfer. @param options.retries as {@link transferDefaults} by default. */
export function retryingOf(options: TransferOptions): Retrying {
  const { retries = transferDefaults.retries, signal } = options;
  return (what, attempt, progress) =>
    retry(attempt, {
      retries,
      signal,
      ...(progress ? { progress } : {}),
      onRetry: (error, delayMs) => tellRetry(options.onProgress, what, error, delayMs),
    });
}

/** Tells that something is tried again, and why. */
export function tellRetry(
  onProgress: OnProgress | undefined,
  what: string,
  error: unknown,
  delayMs: number,
): void {
  onProgress?.({ type: 'retrying', what, reason: explain(error), delayMs });
}

/** A transfer that is under way. */
export interface Course {
  /** When it began, as `performance.now()` has it. */
  readonly startedMs: number;
  /** How often something of it was tried again so far. */
  readonly retryCount: () => number;
}

/**
 * Begins a transfer: its time runs, and what is tried again is counted. Whoever opens the source for a
 * push begins before that, since packing and reading belong to it; what has begun goes on.
 */
export function beginTransfer<T extends TransferOptions>(
  options: T,
): T & Required<Pick<TransferOptions, 'course'>> {
  const { course, onProgress } = options;
  if (course) return { ...options, course };
  let retries = 0;
  const startedMs = performance.now();
  return {
    ...options,
    onProgress: (event) => {
      if (event.type === 'retrying') retries++;
      onProgress?.(event);
    },
    course: { startedMs, retryCount: () => retries },
  };
}
