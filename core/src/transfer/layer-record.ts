import { join } from 'node:path';

import * as z from 'zod';

import { sha256Hex } from '../bytes.ts';
import { explain } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { DigestText, isRepository } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import type { TransferState } from './options.ts';
import { appendLines, readLines } from './record-file.ts';

/** A blob that a registry had, and what is proven of it. */
export const RecordedBlob = z.object({
  digest: DigestText,
  size: z.int().nonnegative(),
  mediaType: z.string().min(1),
  repository: z.string().refine(isRepository),
  /** What the blob is once it is unpacked; only ever written by who has packed or unpacked it. */
  diffId: DigestText.optional(),
});
export type RecordedBlob = z.infer<typeof RecordedBlob>;

/** Some 2,000 blobs. */
const maxBytes = 512 * 1024;

/**
 * Remembers from one transfer to the next which blobs a registry has, and the diffIds of its layers.
 *
 * One file per registry, a line of JSON per blob, the newest last. It only ever helps: what cannot be
 * read or written is left out, and said in the log.
 */
export class LayerRecord {
  readonly #path: string | undefined;
  readonly #log: Log;
  #blobs: Promise<RecordedBlob[]> | undefined;

  /**
   * Nothing is read before it is asked for.
   *
   * @param state Without it, everything is forgotten with this object.
   */
  constructor(state: TransferState | undefined, log: Log = silent) {
    const name = state && `${sha256Hex(state.registry).slice(0, 32)}.jsonl`;
    this.#path = state && name ? join(state.directory, 'layers', name) : undefined;
    this.#log = log;
  }

  /** The blobs that unpack to a diffId, the newest first. */
  async layersOf(diffId: Digest): Promise<readonly RecordedBlob[]> {
    return (await this.#all()).filter((blob) => blob.diffId === diffId).toReversed();
  }

  /** The repositories in which a blob was, the newest first. */
  async repositoriesOf(digest: Digest): Promise<readonly string[]> {
    const found = (await this.#all()).filter((blob) => blob.digest === digest).toReversed();
    return [...new Set(found.map(({ repository }) => repository))];
  }

  /** Remembers blobs, as far as they are not known. */
  async add(blobs: readonly RecordedBlob[]): Promise<void> {
    if (blobs.length === 0) return;
    const known = await this.#all();
    const fresh = blobs.filter((blob) => !known.some((other) => isSaidBy(other, blob)));
    if (fresh.length === 0) return;
    known.push(...fresh);
    if (this.#path === undefined) return;
    try {
      const lines = fresh.map((blob) => JSON.stringify(blob));
      await appendLines(this.#path, lines, maxBytes);
    } catch (error) {
      this.#log.debug(`Layers of this transfer are not remembered: ${explain(error)}`);
    }
  }

  #all(): Promise<RecordedBlob[]> {
    this.#blobs ??= this.#read(this.#path);
    return this.#blobs;
  }

  async #read(path: string | undefined): Promise<RecordedBlob[]> {
    if (path === undefined) return [];
    try {
      const lines = await readLines(path, maxBytes);
      return lines.flatMap((line) => this.#parsed(line, path));
    } catch (error) {
      this.#log.debug(`Layers of earlier transfers are not known: ${explain(error)}`);
      return [];
    }
  }

  #parsed(line: string, path: string): readonly RecordedBlob[] {
    const parsed = RecordedBlob.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    this.#log.debug(`A line of ${path} is damaged, and left out`);
    return [];
  }
}

function isSaidBy(known: RecordedBlob, { digest, repository, diffId }: RecordedBlob): boolean {
  return (
    known.digest === digest &&
    known.repository === repository &&
    (diffId === undefined || known.diffId === diffId)
  );
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
