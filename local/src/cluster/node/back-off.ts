/** A container that ran this long has recovered. */
const recoveredMs = 60_000;
const firstMs = 1000;
const longestMs = 30_000;

/**
 * How long a container waits before it is started again: not at all at first, then 1 s, doubled up
 * to 30 s. (A kubelet takes ten times as long.)
 */
export class BackOff {
  #restarts = 0;

  /** The pause before the next start. @param ranMs How long the last run took. */
  nextMs(ranMs: number): number {
    if (ranMs >= recoveredMs) this.#restarts = 0;
    const restart = this.#restarts++;
    return restart === 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (restart - 1));
  }
}
