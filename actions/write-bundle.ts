import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

import { licencesOf } from './licences.ts';
import { manifests } from './manifests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function entriesOf(action: string): [name: string, path: string][] {
  const folder = join(root, 'actions', action, 'src');
  return [
    [action, join(folder, 'main.ts')],
    [`${action}-post`, join(folder, 'post.ts')],
  ];
}

/**
 * Writes the programs of all actions, the chunks that they share, and the licences of what is in
 * them. The same sources and packages make the same bytes, wherever the checkout lies.
 *
 * @param directory Is emptied first.
 */
export async function writeBundle(directory: string): Promise<void> {
  await using bundle = await rolldown({
    cwd: root,
    input: {
      ...Object.fromEntries(manifests.flatMap(({ name }) => entriesOf(name))),
      reposure: join(root, 'actions', 'command-line.ts'),
    },
    // A runner is no Pod, and the embedded cluster is for a checkout.
    external: [/^@reposure\/(?:local|operator)/],
    platform: 'node',
    treeshake: { moduleSideEffects: hasSideEffects },
    logLevel: 'warn',
  });
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { output } = await bundle.write({
    dir: directory,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    minify: true,
    sourcemap: false,
  });
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }\n');
  await writeFile(join(directory, 'licenses.txt'), await licencesOf(output));
}

/**
 * Neither our libraries nor the runner's do anything by being imported; saying so keeps out an HTTP
 * client for logins by OIDC, and leaves the one of the direct route in a chunk of its own.
 */
function hasSideEffects(module: string): boolean {
  const isPure = [
    join('core', 'src'),
    join('actions', 'shared', 'src'),
    join('node_modules', '@actions'),
  ];
  return !isPure.some((folder) => module.startsWith(join(root, folder) + sep));
}
