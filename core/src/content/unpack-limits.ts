import type { ByteStream } from '../bytes.ts';
import { LimitExceededError } from '../bytes.ts';

/** How much an image may unpack to: a small download must not fill a disk. */
export interface UnpackLimits {
  /** Entries of all layers together. */
  readonly maxEntries: number;
  /** Bytes of all layers together, unpacked, with their headers. */
  readonly maxBytes: number;
  /** Unpacked bytes for each packed one, once a layer has unpacked to 1 GiB. */
  readonly maxExpansion: number;
}

/** Larger than images are, smaller than what does harm. */
const defaultLimits: UnpackLimits = {
  maxEntries: 2_000_000,
  maxBytes: 64 * 1024 ** 3,
  maxExpansion: 200,
};

const expansionFloorBytes = 1024 ** 3;

/** Counts against the limits over all layers of one image. */
export class UnpackBudget {
  readonly #limits: UnpackLimits;
  #entries = 0;
  #bytes = 0;

  constructor(limits: Partial<UnpackLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** @throws {LimitExceededError} if it is one too many. */
  countEntry(): void {
    this.#entries++;
    if (this.#entries > this.#limits.maxEntries) {
      throw new LimitExceededError(
        `Cannot unpack the image: it has more than ${this.#limits.maxEntries} entries`,
      );
    }
  }

  /**
   * Passes on the tar of a layer.
   *
   * @param packedBytes Its size as it is stored.
   * @throws {LimitExceededError} as soon as there is too much.
   */
  async *counted(tar: ByteStream, packedBytes: number): AsyncGenerator<Uint8Array, void> {
    const { maxBytes, maxExpansion } = this.#limits;
    const maxLayerBytes = Math.max(
      Math.min(expansionFloorBytes, maxBytes),
      packedBytes * maxExpansion,
    );
    let layerBytes = 0;
    for await (const chunk of tar) {
      layerBytes += chunk.byteLength;
      this.#bytes += chunk.byteLength;
      if (this.#bytes > maxBytes) {
        throw new LimitExceededError(`Cannot unpack the image: it has more than ${maxBytes} bytes`);
      }
      if (layerBytes > maxLayerBytes) {
        throw new LimitExceededError(
          `Cannot unpack the image: a layer of ${packedBytes} bytes has more than ${maxExpansion} times as many inside`,
        );
      }
      yield chunk;
    }
  }
}
