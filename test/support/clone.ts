import { cp, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './tools.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Puts there what a clone of this checkout has, as a runner fetches it for `uses:`: what git would
 * track of it as it is now, and so no `node_modules`.
 */
export async function cloneTo(folder: string): Promise<void> {
  const command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr } = await runProgram([...command, 'actions', 'dist'], {
    cwd: root,
  });
  if (status !== 0) throw new Error(stderr);
  for (const name of stdout.toString().split('\0').filter(Boolean)) {
    const [from, to] = [join(root, name), join(folder, name)];
    const isThere = await stat(from).catch(() => undefined);
    if (!isThere) continue; // deleted, and that is not committed yet
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to);
  }
}
