import { posix } from 'node:path';

/**
 * Moves the paths of a container's mounts into a folder of this machine.
 *
 * A local process has no mount namespace, so `/etc/reposure/tls` cannot be where its manifest says.
 * An argument or a value that is such a path, lies inside of one, or is a parent of one (but not
 * `/` itself) is rewritten; also what follows the `=` of `--directory=/etc/reposure`.
 */
export class PathMapping {
  readonly #root: string;
  readonly #mountPaths: readonly string[];

  /** @param root The folder that stands for `/`. */
  constructor(root: string, mountPaths: readonly string[]) {
    this.#root = root;
    this.#mountPaths = mountPaths.map(normal).filter((path) => path !== '/');
  }

  /** Where a path of the container is on this machine, whether a mount or not. */
  hostPathOf(path: string): string {
    return posix.join(this.#root, normal(path));
  }

  /** Rewrites one argument or value; anything that is not the path of a mount stays as it is. */
  rewrite(text: string): string {
    if (this.#isMapped(text)) return this.hostPathOf(text);
    const at = text.indexOf('=') + 1;
    const value = text.slice(at);
    return at > 0 && this.#isMapped(value) ? text.slice(0, at) + this.hostPathOf(value) : text;
  }

  #isMapped(text: string): boolean {
    if (!text.startsWith('/')) return false;
    const path = normal(text);
    if (path === '/') return false;
    return this.#mountPaths.some((mount) => isWithin(path, mount) || isWithin(mount, path));
  }
}

function normal(path: string): string {
  const normalized = posix.normalize(posix.join('/', path));
  return normalized.length > 1 && normalized.endsWith('/') ? normalized.slice(0, -1) : normalized;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
