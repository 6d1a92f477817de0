import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';

import type { StoreEvent } from '../api/object.ts';
import type { Store } from '../api/store.ts';

/**
 * Hands the store's events on in order, but never within the change itself: a listener that writes
 * would let others see its change before the one that it answers to.
 */
export class EventQueue {
  readonly #handle: (event: StoreEvent) => void;
  readonly #log: Log;
  readonly #unsubscribe: () => void;
  #waiting: StoreEvent[] = [];
  #isScheduled = false;

  /** What is in the store already is handed on as added. */
  constructor(store: Store, log: Log, handle: (event: StoreEvent) => void) {
    this.#handle = handle;
    this.#log = log;
    this.#unsubscribe = store.subscribe((event) => this.#add(event));
    for (const { resource, object } of store.everything()) {
      this.#add({ type: 'ADDED', resource, object });
    }
  }

  /** Hands nothing on any more. */
  close(): void {
    this.#unsubscribe();
    this.#waiting = [];
  }

  #add(event: StoreEvent): void {
    this.#waiting.push(event);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#isScheduled = false;
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) {
      try {
        this.#handle(event);
      } catch (error) {
        const { kind, metadata } = event.object;
        this.#log.warn(`${kind} ${metadata.namespace ?? ''}/${metadata.name}: ${explain(error)}`);
      }
    }
  }
}
