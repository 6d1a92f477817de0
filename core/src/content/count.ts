import type { ByteStream } from '../bytes.ts';
import { hasherOf } from '../oci/index.ts';
import type { Descriptor, Digest, Hasher } from '../oci/index.ts';

/** Counts and hashes what goes by. */
export class Count {
  readonly #hasher: Hasher;
  #size = 0;
  #digest: Digest | undefined;

  /** @param like Whose algorithm to hash by; sha256 if there is none. */
  constructor(like?: Digest) {
    this.#hasher = hasherOf(like);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  async *of(content: ByteStream): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of content) {
      this.#size += chunk.byteLength;
      this.#hasher.update(chunk);
      yield chunk;
    }
  }

  /** Of everything that went by. */
  digest(): Digest {
    this.#digest ??= this.#hasher.digest();
    return this.#digest;
  }

  descriptor(mediaType: string): Descriptor {
    return { mediaType, digest: this.digest(), size: this.#size };
  }
}
