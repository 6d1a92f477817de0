import { ContentInvalidError } from '../oci/index.ts';
import type { Segments } from './entry-path.ts';
import type { UnpackTree } from './unpack-tree.ts';

const prefix = '.wh.';
/** Aufs keeps books under such names; only the opaque mark means anything here. */
const metaPrefix = '.wh..wh.';
const opaque = '.wh..wh..opq';

/**
 * The whiteouts of one layer: they take away what lower layers made, and nothing that their own
 * layer has, whichever comes first in the tar.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */
export class Whiteouts {
  readonly #tree: UnpackTree;
  /** Paths of this layer, with the folders above them. */
  readonly #own = new Set<string>();

  constructor(tree: UnpackTree) {
    this.#tree = tree;
  }

  /** Remembers that this layer has the path. */
  keep(path: Segments): void {
    for (let depth = path.length; depth > 0; depth--) {
      const key = path.slice(0, depth).join('/');
      if (this.#own.has(key)) return;
      this.#own.add(key);
    }
  }

  /** @returns Whether the entry was a whiteout, and so makes nothing. */
  async apply(path: Segments): Promise<boolean> {
    const name = path.at(-1) ?? '';
    const folder = path.slice(0, -1);
    if (name === opaque) await this.#clear(folder);
    else if (name.startsWith(prefix) && !name.startsWith(metaPrefix)) {
      await this.#erase([...folder, hiddenName(name)]);
    }
    // Whatever else is under such a name of aufs, or below it, is no content.
    return path.some((part) => part.startsWith(metaPrefix)) || name.startsWith(prefix);
  }

  async #erase(path: Segments): Promise<void> {
    if (this.#own.has(path.join('/'))) await this.#clear(path);
    else await this.#tree.remove(path);
  }

  async #clear(folder: Segments): Promise<void> {
    for (const name of await this.#tree.list(folder)) await this.#erase([...folder, name]);
  }
}

function hiddenName(name: string): string {
  const hidden = name.slice(prefix.length);
  // `.wh...` would take away the folder above.
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new ContentInvalidError(`Cannot apply whiteout "${name}": it names no file`);
  }
  return hidden;
}
