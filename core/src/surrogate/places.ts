/** A bounded number of places; who finds none free waits, first come first served. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Takes a place, which its taker frees once.
   *
   * @throws the reason of `signal`, if that is aborted before there is one.
   */
  async take(signal?: AbortSignal): Promise<{ free(): void }> {
    signal?.throwIfAborted();
    if (this.#free === 0) await this.#turn(signal);
    else this.#free--;
    return { free: () => this.#pass() };
  }

  /** Handed to the next one directly, so that nobody gets in between. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(resolve);
      // Not in line any more: a place is on its way here, and whoever gets it frees it.
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }
}
