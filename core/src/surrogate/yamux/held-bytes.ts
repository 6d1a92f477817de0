/** Parts below this are copied together: many small ones would hold far more than their bytes. */
const smallBytes = 16 * 1024;
const blockBytes = 64 * 1024;

/** Bytes that wait for a reader, in their order. */
export class HeldBytes {
  readonly #parts: Buffer[] = [];
  /** The last part, as long as there is room behind it. */
  #block: Buffer | undefined;
  #blockFilled = 0;
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** Takes a part; a small one is copied, so that it does not hold the whole chunk it came in. */
  add(part: Buffer): void {
    this.#byteLength += part.byteLength;
    if (part.byteLength < smallBytes) this.#addToBlock(part);
    else {
      this.#closeBlock();
      this.#parts.push(part);
    }
  }

  /** The next part. */
  take(): Buffer | undefined {
    if (this.#parts.length === 0) this.#closeBlock();
    const part = this.#parts.shift();
    this.#byteLength -= part?.byteLength ?? 0;
    return part;
  }

  clear(): void {
    this.#parts.length = 0;
    this.#block = undefined;
    this.#blockFilled = 0;
    this.#byteLength = 0;
  }

  #addToBlock(part: Buffer): void {
    if (part.byteLength > blockBytes - this.#blockFilled) this.#closeBlock();
    this.#block ??= Buffer.allocUnsafe(blockBytes);
    this.#block.set(part, this.#blockFilled);
    this.#blockFilled += part.byteLength;
  }

  #closeBlock(): void {
    if (this.#block && this.#blockFilled > 0) {
      this.#parts.push(this.#block.subarray(0, this.#blockFilled));
    }
    this.#block = undefined;
    this.#blockFilled = 0;
  }
}
