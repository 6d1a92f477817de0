import type { FileHandle } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { writeAt, writeFrom } from './file-bytes.ts';
import { blockBytes } from './tar-entries.ts';
import { tarEnd, tarHeaderOf, tarPaddingOf } from './tar-headers.ts';

/** A place for one file in a tar that is being written; its header is there already. */
export interface Region {
  readonly offset: number;
  readonly size: number;
}

/** A tar that is written at several places at once. */
export class TarOutput {
  readonly #handle: FileHandle;
  #end = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async folder(path: string): Promise<void> {
    const header = tarHeaderOf({ type: 'Directory', path });
    await writeAt(this.#handle, this.#claim(header.length), header);
  }

  async file(path: string, content: Uint8Array | string): Promise<void> {
    const bytes = Buffer.from(content);
    const { offset } = await this.reserve(path, bytes.length);
    await writeAt(this.#handle, offset, bytes);
  }

  /** Makes room for a file of known size. The padding is what the file system fills holes with. */
  async reserve(path: string, size: number): Promise<Region> {
    const header = tarHeaderOf({ type: 'File', path, size });
    const start = this.#claim(header.length + size + tarPaddingOf(size).length);
    await writeAt(this.#handle, start, header);
    return { offset: start + header.length, size };
  }

  /**
   * Writes a file whose size is not known before its end; nothing else may be written meanwhile.
   *
   * @param path At most 100 ASCII characters.
   */
  async append(path: string, content: ByteStream): Promise<void> {
    const start = this.#end;
    const size = await writeFrom(this.#handle, start + blockBytes, content);
    // Without the pax header that files of 8 GiB get in front: there is room for one block only, and
    // that block has the size in base 256, which everybody reads.
    const header = tarHeaderOf({ type: 'File', path, size }).subarray(-blockBytes);
    await writeAt(this.#handle, start, header);
    this.#claim(blockBytes + size + tarPaddingOf(size).length);
  }

  /** Writes the end mark. @returns The size of the whole. */
  async finish(): Promise<number> {
    await writeAt(this.#handle, this.#claim(tarEnd.byteLength), tarEnd);
    return this.#end;
  }

  #claim(length: number): number {
    const start = this.#end;
    this.#end += length;
    return start;
  }
}
