const firstDelayMs = 5;
/** client-go waits up to 1000 s; but nothing else looks again at what failed to apply. */
const longestDelayMs = 60_000;
/** Of all retries together: 10 a second, 100 at once. */
const refillMs = 100;
const burst = 100;

/** Keys that want work: each at most once in the queue, and never with two workers. */
export class WorkQueue {
  readonly #pending = new Set<string>();
  readonly #working = new Set<string>();
  /** Wanted again while somebody works on it. */
  readonly #dirty = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { atMs: number; timer: NodeJS.Timeout }>();
  readonly #idle: ((key: string | undefined) => void)[] = [];
  #nextRetryAtMs = 0;
  #isClosed = false;

  /** How many keys wait for a worker. */
  get depth(): number {
    return this.#pending.size;
  }

  /** Wants work on a key, as soon as a worker is free. */
  add(key: string): void {
    if (this.#isClosed) return;
    if (this.#working.has(key)) {
      this.#dirty.add(key);
      return;
    }
    const worker = this.#idle.shift();
    if (worker === undefined) {
      this.#pending.add(key);
      return;
    }
    this.#working.add(key);
    worker(key);
  }

  /** Wants work on a key later; of several times, the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return;
    const atMs = Date.now() + delayMs;
    const delayed = this.#delayed.get(key);
    if (delayed !== undefined && delayed.atMs <= atMs) return;
    clearTimeout(delayed?.timer);
    const timer = setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, delayMs);
    this.#delayed.set(key, { atMs, timer });
  }

  /** Wants work on a key that has just failed: later every time. @returns In how many ms. */
  retry(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = Math.max(retryDelayMs(failures), this.#reserveMs());
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Forgets the failures of a key. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which is the caller's until `done`; `undefined` once the queue is closed. */
  async take(): Promise<string | undefined> {
    if (this.#isClosed) return undefined;
    const [key] = this.#pending;
    if (key === undefined) return new Promise((resolve) => this.#idle.push(resolve));
    this.#pending.delete(key);
    this.#working.add(key);
    return key;
  }

  /** Gives a key back. */
  done(key: string): void {
    this.#working.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
  }

  /** Ends every `take`, and forgets what is wanted. */
  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    this.#pending.clear();
    for (const worker of this.#idle.splice(0)) worker(undefined);
  }

  /** A token bucket, written as the time at which the next token is there. */
  #reserveMs(): number {
    const nowMs = Date.now();
    this.#nextRetryAtMs = Math.max(this.#nextRetryAtMs, nowMs - burst * refillMs) + refillMs;
    return Math.max(0, this.#nextRetryAtMs - nowMs);
  }
}

/** The pause before a key that failed so often is tried again: 5 ms, doubled up to 60 s. */
export function retryDelayMs(failures: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** failures);
}
