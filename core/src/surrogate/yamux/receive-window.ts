import { initialWindowBytes, YamuxError } from './frame.ts';

/** Up to here a window grows: 1 Gbit/s at a round trip of 40 ms needs 5 MB, and as much again to be safe. */
export const maxWindowBytes = 8 * 1024 * 1024;

/** What all streams of a session may be granted together, above the first 256 KiB of each. */
export const maxGrantedBytes = 16 * 1024 * 1024;

/** A new stream gets so much before anything is known about the way. */
const firstWindowBytes = 1024 * 1024;

/** What the windows of one session share. */
export class WindowPool {
  /** The shortest that was seen: longer ones are mostly bytes that wait their turn. */
  roundTripMs: number | undefined;
  /** What the way turned out to need; the next stream begins with it. */
  #usualBytes = firstWindowBytes;
  #freeBytes = maxGrantedBytes;

  get usualBytes(): number {
    return this.#usualBytes;
  }

  /** So much a stream may have before it is known whether it needs it: others will come. */
  get fairShareBytes(): number {
    return Math.floor(this.#freeBytes / 4);
  }

  /** @returns How much there is, up to what is wanted. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.#freeBytes);
    this.#freeBytes -= taken;
    return taken;
  }

  giveBack(bytes: number): void {
    this.#freeBytes += bytes;
  }

  learn(windowBytes: number): void {
    this.#usualBytes = Math.max(this.#usualBytes, windowBytes);
  }
}

/**
 * What the other end may send on one stream.
 *
 * It is doubled while the reader takes a whole window within two round trips, as then the window is
 * what makes the sender wait. A reader that is slow never has a large one, unless others had before.
 */
export class ReceiveWindow {
  readonly #pool: WindowPool;
  #bytes = initialWindowBytes;
  #credit = initialWindowBytes;
  #taken = 0;
  #takenSinceMark = 0;
  #mark = performance.now();

  constructor(pool: WindowPool) {
    this.#pool = pool;
  }

  /** To be granted with the stream's first window update. */
  open(): number {
    return this.#enlarge(Math.min(this.#pool.usualBytes - this.#bytes, this.#pool.fairShareBytes));
  }

  /**
   * Counts what arrives, or is announced.
   *
   * @throws {YamuxError} if it was not granted.
   */
  receive(bytes: number): void {
    if (bytes > this.#credit) {
      throw new YamuxError(`Cannot take ${bytes} bytes: ${this.#credit} were granted`);
    }
    this.#credit -= bytes;
  }

  /** Counts what the reader took. @returns What to grant for it now: often nothing yet. */
  take(bytes: number): number {
    this.#taken += bytes;
    this.#takenSinceMark += bytes;
    // In quarters: an update for each part would cost more than it brings.
    if (this.#taken < this.#bytes / 4) return 0;
    const granted = this.#taken;
    this.#taken = 0;
    this.#credit += granted;
    return granted + this.#growth();
  }

  /** Returns to the pool what was taken from it. */
  close(): void {
    this.#pool.giveBack(this.#bytes - initialWindowBytes);
    this.#bytes = initialWindowBytes;
  }

  #growth(): number {
    if (this.#takenSinceMark < this.#bytes) return 0;
    const elapsedMs = performance.now() - this.#mark;
    this.#mark += elapsedMs;
    this.#takenSinceMark = 0;
    if (elapsedMs > 2 * (this.#pool.roundTripMs ?? 0)) return 0;
    const growth = this.#enlarge(Math.min(this.#bytes, maxWindowBytes - this.#bytes));
    this.#pool.learn(this.#bytes);
    return growth;
  }

  #enlarge(bytes: number): number {
    const granted = this.#pool.take(Math.max(0, bytes));
    this.#bytes += granted;
    this.#credit += granted;
    return granted;
  }
}
