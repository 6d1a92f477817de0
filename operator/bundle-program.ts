import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const programs = ['reposure', 'reposure-operator', 'reposure-surrogate', 'kubectl-reposure'];

/** How the program is bundled. */
export interface ProgramBundle {
  /** Programs that are bundled beside it, by name. */
  readonly beside?: Readonly<Record<string, string>>;
  /** The Node that it starts with. */
  readonly node: string;
  readonly minify: boolean;
}

/**
 * Bundles the program: `reposure.mjs` and what it loads, and its names in `bin/`.
 *
 * @param output A folder; made if it is not there.
 */
export async function bundleProgram(
  output: string,
  { beside = {}, node, minify }: ProgramBundle,
): Promise<void> {
  await mkdir(join(output, 'bin'), { recursive: true });
  await using bundle = await rolldown({
    input: { reposure: join(root, 'cli', 'bin', 'reposure.js'), ...beside },
    platform: 'node',
    // The embedded cluster is for a checkout: a Pod has no use for one.
    external: [/^@reposure\/local/],
  });
  await bundle.write({
    dir: output,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    minify,
  });
  const program = join(output, 'reposure.mjs');
  const text = await readFile(program, 'utf8');
  await writeFile(program, text.replace(/^#!.*/, `#!${node}`));
  await chmod(program, 0o755);
  for (const name of programs) await symlink('../reposure.mjs', join(output, 'bin', name));
}
