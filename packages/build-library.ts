import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An import of a file beside, in a declaration: the compiler rewrites those of JavaScript only. */
const typescriptImport = /(?<=(?:from |import\()(['"]))(\.{1,2}\/[^'"]+)\.ts(?=\1)/g;

/**
 * Writes `dist/`: a module of JavaScript and its declarations for each one of TypeScript, so that a
 * stack trace shows what the repository has.
 *
 * @param directory Of the package; its tsconfig.json says what is in it.
 */
export async function buildLibrary(root: string, directory: string): Promise<void> {
  const dist = join(directory, 'dist');
  const emitted = await mkdtemp(join(tmpdir(), 'reposure-build-'));
  try {
    await compile(root, directory, emitted);
    // What is emitted beside it is the package.json that version.ts reads: the package has its own.
    await cp(join(emitted, 'src'), dist, { recursive: true });
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
  for (const name of await readdir(dist, { recursive: true })) {
    if (name.endsWith('.d.ts')) await rewriteImports(join(dist, name));
  }
}

async function compile(root: string, project: string, outDir: string): Promise<void> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const child = spawn(tsc, ['--project', project, '--outDir', outDir], { stdio: 'inherit' });
  const [status]: unknown[] = await once(child, 'close');
  if (status !== 0) throw new Error(`Cannot compile ${project}: see above`);
}

async function rewriteImports(path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replaceAll(typescriptImport, '$2.js'));
}
