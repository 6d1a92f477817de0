import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { rolldown } from 'rolldown';

import { licencesOf } from '../actions/licences.ts';

/**
 * Writes `dist/`: the command line with all that it needs, so that one package is all there is to
 * install, and the licences of what is in it.
 */
export async function buildProgram(root: string, directory: string): Promise<void> {
  const node = join(root, 'local', 'src', 'cluster', 'node');
  await using bundle = await rolldown({
    cwd: root,
    input: {
      reposure: join(root, 'actions', 'command-line.ts'),
      // Programs of the embedded cluster, which are started and not imported.
      preload: join(node, 'preload.ts'),
      'registry-program': join(node, 'registry-program.ts'),
    },
    platform: 'node',
    transform: { target: 'node22.15' },
    logLevel: 'warn',
  });
  const { output } = await bundle.write({
    dir: join(directory, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: true,
  });
  await writeFile(join(directory, 'dist', 'licenses.txt'), await licencesOf(output));
}
