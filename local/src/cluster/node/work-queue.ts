import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';

const tryAgainMs = 500;

/**
 * Reconciles keys, each once however often it was added meanwhile, and never within the change that
 * asked for it.
 */
export class WorkQueue {
  readonly #reconcile: (key: string) => void;
  readonly #log: Log;
  readonly #waiting = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isScheduled = false;
  #isClosed = false;

  /** @param reconcile Looks at everything about a key and changes what is not as it should be. */
  constructor(reconcile: (key: string) => void, log: Log) {
    this.#reconcile = reconcile;
    this.#log = log;
  }

  /** Asks for a key to be looked at soon. */
  add(key: string): void {
    if (this.#isClosed) return;
    this.#waiting.add(key);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#runAll());
  }

  /** Asks for a key to be looked at later; the earliest time counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed || this.#timers.has(key)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, delayMs);
    timer.unref();
    this.#timers.set(key, timer);
  }

  /** Looks at nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #runAll(): void {
    this.#isScheduled = false;
    const keys = [...this.#waiting];
    this.#waiting.clear();
    for (const key of keys) {
      if (this.#isClosed) return;
      try {
        this.#reconcile(key);
      } catch (error) {
        this.#log.debug(`Trying ${key} again: ${explain(error)}`);
        this.addAfter(key, tryAgainMs);
      }
    }
  }
}
