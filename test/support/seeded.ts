import { randomInt } from 'node:crypto';

/**
 * Numbers that are the same for the same seed: what a test did by chance, it can be made to do again
 * with `REPOSURE_SEED`. Whoever uses it prints the seed.
 *
 * @see https://github.com/cprosche/mulberry32
 */
export class Seeded {
  readonly seed: number;
  #state: number;

  constructor(seed = Number(process.env['REPOSURE_SEED'] ?? randomInt(2 ** 31))) {
    this.seed = seed;
    this.#state = seed;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** So many of them, ascending. */
  ascending(count: number, limit: number): number[] {
    return Array.from({ length: count }, () => this.below(limit)).toSorted((a, b) => a - b);
  }
}
