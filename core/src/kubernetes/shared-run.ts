/** Work that many wait for; it is given up when the last of them leaves before its end. */
export class SharedRun<T> {
  readonly #result: Promise<T>;
  readonly #abandon = new AbortController();
  #waiting = 0;
  #hasFailed = false;

  /** @param work Started at once; its signal says that nobody waits any more. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#abandon.signal);
    // Also keeps a failure that nobody waits for from ending the process.
    this.#result.catch(() => (this.#hasFailed = true));
  }

  /** Whether it failed or was given up: who comes now needs another one. */
  get isLost(): boolean {
    return this.#hasFailed || this.#abandon.signal.aborted;
  }

  /**
   * What the work results in.
   *
   * @throws the reason of `signal`, at once, when that is aborted; else what the work throws.
   */
  async result(signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => {
      reject(signal?.reason);
      this.#waiting--;
      if (this.#waiting === 0) this.#abandon.abort();
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#result, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }
}
