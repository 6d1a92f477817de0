import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { parse } from 'yaml';

import { parseInput } from '../input.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import { Cluster, Context, KubeconfigFile, User } from './kubeconfig-schema.ts';

/** Several files as one, by kubectl's rules. */
export interface MergedKubeconfig {
  /** Those that were there, in order. */
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly users: ReadonlyMap<string, User>;
  readonly contexts: ReadonlyMap<string, Context>;
}

/**
 * Reads kubeconfig files and merges them: the first to name something wins, a file that is not
 * there is passed over, a relative path in a file starts at that file's folder.
 *
 * @throws {KubeconfigError} if one cannot be read or is not a kubeconfig.
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
export async function readKubeconfigs(paths: readonly string[]): Promise<MergedKubeconfig> {
  const files: string[] = [];
  const clusters = new Map<string, Cluster>();
  const users = new Map<string, User>();
  const contexts = new Map<string, Context>();
  let currentContext: string | undefined;
  for (const path of paths) {
    const file = await readKubeconfig(path);
    if (!file) continue;
    files.push(path);
    currentContext ??= file['current-context'];
    const folder = dirname(resolve(path));
    addMissing(clusters, file.clusters, (it) =>
      clusterFrom(it.cluster ?? Cluster.parse({}), folder),
    );
    addMissing(users, file.users, (it) => userFrom(it.user ?? User.parse({}), folder));
    addMissing(contexts, file.contexts, (it) => it.context ?? Context.parse({}));
  }
  return { files, currentContext, clusters, users, contexts };
}

async function readKubeconfig(path: string): Promise<KubeconfigFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KubeconfigError(`Cannot read kubeconfig ${path}`, { cause: error });
  }
  try {
    // An empty file is an empty kubeconfig, as for kubectl.
    return parseInput(KubeconfigFile, parse(text) ?? {}, `kubeconfig ${path}`);
  } catch (error) {
    // Only the first line: the rest of a YAML error quotes the file, and it holds secrets.
    const [reason = ''] = error instanceof Error ? error.message.split('\n') : [];
    const clause = reason.replace(`Cannot use kubeconfig ${path}: `, '');
    throw new KubeconfigError(
      `Cannot use kubeconfig ${path}: ${clause}; want clusters, users and contexts in YAML`,
    );
  }
}

function addMissing<E extends { name: string }, T>(
  map: Map<string, T>,
  entries: readonly E[] | null | undefined,
  valueOf: (entry: E) => T,
): void {
  for (const entry of entries ?? []) {
    if (!map.has(entry.name)) map.set(entry.name, valueOf(entry));
  }
}

function clusterFrom(cluster: Cluster, folder: string): Cluster {
  return {
    ...cluster,
    'certificate-authority': under(folder, cluster['certificate-authority']),
  };
}

function userFrom(user: User, folder: string): User {
  const { exec } = user;
  // As a shell does it: a command with a slash is a path, one without is looked up on the PATH.
  const isPath = exec && /[/\\]/.test(exec.command);
  return {
    ...user,
    'client-certificate': under(folder, user['client-certificate']),
    'client-key': under(folder, user['client-key']),
    tokenFile: under(folder, user.tokenFile),
    exec: isPath ? { ...exec, command: resolve(folder, exec.command) } : exec,
  };
}

function under(folder: string, path: string | undefined): string | undefined {
  return path && resolve(folder, path);
}
