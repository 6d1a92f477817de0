import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { KubeconfigError } from './kubeconfig-error.ts';

/**
 * The kubeconfig files that kubectl would read, whether they are there or not: those that are named,
 * else the user's own. A folder stands for the file `kubeconfig` in it, as pipelines mount one.
 *
 * @param named As `KUBECONFIG` has it.
 * @throws {KubeconfigError} if there is no such file in a folder.
 */
export async function kubeconfigPaths(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const paths = named
    ? named.split(delimiter).filter(Boolean)
    : [join(homeOf(env), '.kube', 'config')];
  return await Promise.all(paths.map(fileOf));
}

/** A user without a name and without $HOME, as containers have them, has no files either. */
function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return env['HOME'] ?? homedir();
  } catch {
    return '/';
  }
}

async function fileOf(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const file = join(path, 'kubeconfig');
  if ((await readdir(path)).includes('kubeconfig')) return file;
  throw new KubeconfigError(`Cannot read kubeconfig ${file}: it is not in that folder`);
}
