/** A container as its program sees it: everything resolved, paths of mounts rewritten. */
export interface ProgramContainer {
  readonly image: string;
  /** What replaces the image's entry point, or the command of an exec; empty for the image's own. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly podIp: string;
  /** Where a path of the container is on this machine. */
  readonly hostPathOf: (path: string) => string;
}

/** What stands for an image: how to start it as a local process. */
export interface Program {
  /** The whole command line; its first part is found on the container's PATH. */
  command(container: ProgramContainer): readonly string[];
  /** Variables beside those of the Pod, which win. */
  environment?(container: ProgramContainer): Readonly<Record<string, string>>;
  /**
   * Whether the command line starts with Node and a script of ours: it is then made to resolve the
   * cluster's names, to listen on the Pod's address, and to end with the cluster.
   */
  readonly mapped?: boolean;
}

/** From an image's name, with its tag or without, to its program; `*` as its host is any registry. */
export type ProgramTable = Readonly<Record<string, Program>>;

/** The program of an image: by its exact name, else by its repository alone, at this registry or at any. */
export function programOf(table: ProgramTable, image: string): Program | undefined {
  const names = [image, familiarNameOf(image)].flatMap((name) => [name, repositoryOf(name)]);
  names.push(repositoryOf(image).replace(/^[^/]+/, '*'));
  const found = names.find((name) => Object.hasOwn(table, name));
  return found === undefined ? undefined : table[found];
}

/** `docker.io/library/registry:3` is what everybody calls `registry:3`. */
function familiarNameOf(image: string): string {
  return image.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}

function repositoryOf(image: string): string {
  const withoutDigest = image.split('@')[0] ?? image;
  const colon = withoutDigest.lastIndexOf(':');
  return colon > withoutDigest.lastIndexOf('/') ? withoutDigest.slice(0, colon) : withoutDigest;
}
