import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { NotFoundError } from '../errors.ts';
import type { ReadOptions } from './content.ts';
import { readFileFrom } from './file-bytes.ts';
import { ContentNotFoundError } from './not-found.ts';

/** Files by their path, with `/` between its parts: what an image layout lies in, folder or tar. */
export interface Files {
  /** For messages. */
  readonly what: string;
  has(path: string): Promise<boolean>;
  /** @throws {ContentNotFoundError} if there is no such file. */
  read(path: string, options?: ReadOptions): ByteStream;
  close(): Promise<void>;
}

/** The files of a folder. */
export class FolderFiles implements Files {
  readonly what: string;
  readonly #folder: string;

  constructor(folder: string, what: string) {
    this.#folder = folder;
    this.what = what;
  }

  async has(path: string): Promise<boolean> {
    const found = await stat(join(this.#folder, path)).catch(() => undefined);
    return found?.isFile() ?? false;
  }

  async *read(path: string, { offset = 0, signal }: ReadOptions = {}): ByteStream {
    try {
      yield* readFileFrom(join(this.#folder, path), offset, signal);
    } catch (error) {
      throw error instanceof NotFoundError ? missing(this.what, path) : error;
    }
  }

  async close(): Promise<void> {
    // Files are open only while they are read.
  }
}

/** Says that a file is not there. */
export function missing(what: string, path: string): ContentNotFoundError {
  return new ContentNotFoundError(
    `Cannot read ${path} of ${what}: it is not there; want an image with everything that its index names, or the platform that it has`,
  );
}
