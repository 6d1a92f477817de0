import { join } from 'node:path';

import { noSpaceLeft } from '../refusal.ts';
import { entriesIn, sizeOf } from './file.ts';

/** Counts the bytes that a directory holds, and refuses more than it may. */
export class Quota {
  readonly #directory: string;
  readonly #maxBytes: number | undefined;
  #usedBytes = 0;
  #counted: Promise<void> | undefined;

  constructor(directory: string, maxBytes: number | undefined) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  /** Ends when what the directory held at the start has been counted; call it before {@link take}. */
  async ready(): Promise<void> {
    if (this.#maxBytes === undefined) return;
    this.#counted ??= this.#count();
    await this.#counted;
  }

  /** @throws {Refusal} (507) if so many bytes do not fit any more. */
  take(bytes: number): void {
    if (this.#maxBytes === undefined) return;
    if (this.#usedBytes + bytes > this.#maxBytes) throw noSpaceLeft();
    this.#usedBytes += bytes;
  }

  /** Gives back what was taken and is not there any more. */
  release(bytes: number): void {
    // Before the first count, what is gone will not be counted.
    if (this.#counted) this.#usedBytes -= bytes;
  }

  async #count(): Promise<void> {
    this.#usedBytes += await usedBytesOf(this.#directory);
  }
}

async function usedBytesOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await entriesIn(directory)) {
    const path = join(directory, entry.name);
    bytes += entry.isDirectory() ? await usedBytesOf(path) : ((await sizeOf(path)) ?? 0);
  }
  return bytes;
}
