import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

// Bundles the program for the image: `build/image/reposure.mjs` and what it loads, and its names in `bin/`.
const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'build', 'image');
const programs = ['reposure', 'reposure-operator', 'reposure-surrogate', 'kubectl-reposure'];

await rm(output, { recursive: true, force: true });
await mkdir(join(output, 'bin'), { recursive: true });
const bundle = await rolldown({
  input: { reposure: join(root, 'cli', 'bin', 'reposure.js') },
  platform: 'node',
  // The embedded cluster is for a checkout: a Pod has no use for one.
  external: [/^@reposure\/local/],
});
await bundle.write({
  dir: output,
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: 'chunks/[name]-[hash].mjs',
  minify: true,
});
await bundle.close();
const program = join(output, 'reposure.mjs');
const text = await readFile(program, 'utf8');
// Where the node images have it: a small base image need not have an env.
await writeFile(program, text.replace(/^#!.*/, '#!/usr/local/bin/node'));
await chmod(program, 0o755);
for (const name of programs) await symlink('../reposure.mjs', join(output, 'bin', name));
