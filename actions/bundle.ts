import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';
import * as z from 'zod';

// Bundles every action into `dist/`, which is checked in: a runner runs it as it is, without npm.
// `node actions/bundle.ts [DIR]`: the drift test writes to a folder of its own and compares.
const root = fileURLToPath(new URL('..', import.meta.url));
const Package = z.object({ name: z.string(), version: z.string(), license: z.string() });
const output = process.argv[2] ?? join(root, 'dist');

const bundle = await rolldown({
  cwd: root,
  input: { push: join(root, 'actions', 'push', 'src', 'main.ts') },
  platform: 'node',
});
await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
const { output: files } = await bundle.write({
  dir: output,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  minify: true,
});
await bundle.close();
await writeFile(join(output, 'package.json'), '{ "type": "module" }\n');
const chunks = files.filter((file): file is OutputChunk => file.type === 'chunk');
await writeFile(join(output, 'licenses.txt'), await licencesOf(chunks));

/** The licence of every package that went into the bundle, in the order of their names. */
async function licencesOf(bundled: readonly OutputChunk[]): Promise<string> {
  const folders = new Set(bundled.flatMap(({ moduleIds }) => moduleIds).flatMap(packageFolderOf));
  const texts = await Promise.all([...folders].toSorted().map(licenceOf));
  return `${texts.join('\n\n')}\n`;
}

function packageFolderOf(module: string): string[] {
  const parts = module.split(sep);
  const at = parts.lastIndexOf('node_modules');
  if (at === -1) return [];
  const depth = parts[at + 1]?.startsWith('@') ? 3 : 2;
  return [parts.slice(0, at + depth).join(sep)];
}

async function licenceOf(folder: string): Promise<string> {
  const { name, version, license } = Package.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  );
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file
    ? await readFile(join(folder, file), 'utf8')
    : 'No licence file in the package.';
  return `${'-'.repeat(80)}\n${name}@${version} (${license})\n\n${text.trim()}`;
}
