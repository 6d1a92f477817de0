import type { RegistryKey } from './registry-key.ts';

/** However calm it is, everything is applied again after so long. */
const resyncMs = 600_000;

/** What was applied for a Registry, and when. */
interface Applied {
  readonly hash: string;
  readonly touches: number;
  readonly atMs: number;
}

/**
 * Remembers what was applied last for each Registry, so that looking at it again writes nothing:
 * applying what is there already costs the API more than all that is read.
 *
 * It counts until another hash is wanted, or something happens to one of the objects. An event that
 * comes while objects are applied counts as one that comes after it: at worst, they are applied
 * once more.
 */
export class AppliedObjects {
  #touchesOfAll = 0;
  readonly #touches = new Map<RegistryKey, number>();
  readonly #applied = new Map<RegistryKey, Applied>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Something happened to an object of this Registry. */
  touch(key: RegistryKey): void {
    this.#touches.set(key, (this.#touches.get(key) ?? 0) + 1);
  }

  /** Nobody knows what happened meanwhile, to any object. */
  touchAll(): void {
    this.#touchesOfAll += 1;
  }

  /** Whether objects of this hash are there, as far as anybody knows. */
  has(key: RegistryKey, hash: string): boolean {
    const applied = this.#applied.get(key);
    return (
      applied?.hash === hash &&
      applied.touches === this.#touchesOf(key) &&
      this.#nowMs() - applied.atMs < resyncMs
    );
  }

  /** Applies, and remembers it if that succeeds. */
  async applying<T>(key: RegistryKey, hash: string, apply: () => Promise<T>): Promise<T> {
    const touches = this.#touchesOf(key);
    const result = await apply();
    this.#applied.set(key, { hash, touches, atMs: this.#nowMs() });
    return result;
  }

  /** There is no such Registry any more, or it is somebody else's. */
  forget(key: RegistryKey): void {
    this.#touches.delete(key);
    this.#applied.delete(key);
  }

  #touchesOf(key: RegistryKey): number {
    return this.#touchesOfAll + (this.#touches.get(key) ?? 0);
  }
}
