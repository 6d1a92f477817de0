interface Turn {
  readonly cancel: () => void;
  readonly ended: Promise<unknown>;
}

/**
 * Lets one request at a time work on a thing, and the newest win: a client that comes back after
 * its connection broke must not wait until this side has noticed that it did.
 */
export class Turns {
  readonly #turns = new Map<string, Turn>();

  /**
   * Cancels whoever works on `key`, and runs `work` once they have stopped.
   *
   * @param cancel Makes `work` end soon; called if somebody else comes.
   */
  async take<T>(key: string, cancel: () => void, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    before?.cancel();
    const result = before ? before.ended.then(work) : work();
    const turn = { cancel, ended: result.then(ignore, ignore) };
    this.#turns.set(key, turn);
    try {
      return await result;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

function ignore(): void {}
