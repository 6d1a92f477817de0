/** Lets one piece of work run at a time, in the order in which they came. */
export class Lock {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything before it has ended, however it ended. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }
}
