/** How long ago a request may have been signed. */
export const toleranceSeconds = 300;
/**
 * How far a client's clock may be ahead; one that is further ahead hears what time it is, and goes by
 * that. It is little, as whoever starts must refuse all that an earlier process may have taken.
 */
export const aheadSeconds = 1;

const maxNonces = 100_000;

/** Why a request is not taken: another one was the same, or it is not of this time. */
export type NotFresh = 'seen' | 'time';

/**
 * Tells requests that come for the first time from those that somebody sends once more.
 *
 * Its memory is bounded, and it never takes what it might have forgotten: what is as old as the
 * oldest nonces that it had to drop is not of this time any more.
 */
export class SeenNonces {
  readonly #maxNonces: number;
  /** By the second in which they were made. */
  readonly #seen = new Map<number, Set<string>>();
  #size = 0;
  /** The first second that it can answer for. */
  #from: number;

  /** @param nowSeconds What was seen before is not known: another process may have served it. */
  constructor(nowSeconds: number, limit = maxNonces) {
    this.#from = nowSeconds + aheadSeconds + 1;
    this.#maxNonces = limit;
  }

  /** Takes a nonce, or says why not. */
  take(nonce: string, createdSeconds: number, nowSeconds: number): NotFresh | undefined {
    this.#forgetBefore(nowSeconds - toleranceSeconds);
    if (createdSeconds < this.#from || createdSeconds > nowSeconds + aheadSeconds) {
      return 'time';
    }
    const same = this.#seen.get(createdSeconds) ?? new Set();
    if (same.has(nonce)) return 'seen';
    this.#seen.set(createdSeconds, same.add(nonce));
    this.#size++;
    while (this.#size > this.#maxNonces) this.#forgetBefore(Math.min(...this.#seen.keys()) + 1);
    return undefined;
  }

  #forgetBefore(seconds: number): void {
    if (seconds <= this.#from) return;
    this.#from = seconds;
    for (const [second, nonces] of this.#seen) {
      if (second >= seconds) continue;
      this.#size -= nonces.size;
      this.#seen.delete(second);
    }
  }
}
