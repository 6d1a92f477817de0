import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './tools.ts';
import type { Finished } from './tools.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm pack` says of one package. */
interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** The example of a plain Node project, outside the workspace, with the published packages. */
export interface NpmProject {
  readonly directory: string;
  /** By package name. */
  readonly packed: ReadonlyMap<string, Packed>;
  /** Runs a program of it: what it has installed is first on the PATH. */
  run(command: readonly string[], env?: Record<string, string>): Promise<Finished>;
}

/**
 * Packs what is published, as a release does, and installs it in a copy of `examples/pipelines/npm`.
 *
 * @param folder Empty; outside the workspace, so that nothing of it is found by chance.
 */
export async function startNpmProject(folder: string): Promise<NpmProject> {
  const tarballs = join(folder, 'tarballs');
  const directory = join(folder, 'pipelines', 'npm');
  await mkdir(tarballs, { recursive: true });
  await cp(join(root, 'examples', 'app'), join(folder, 'app'), { recursive: true });
  await cp(join(root, 'examples', 'pipelines', 'npm'), directory, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  const pack = ['npm', 'pack', './packages/core', './packages/reposure', '--json'];
  const said = await ok([...pack, `--pack-destination=${tarballs}`], root);
  // What `prepack` runs may have said something before.
  const packages = JSON.parse(said.slice(said.indexOf('[\n'))) as Packed[];
  const files = packages.map(({ filename }) => join(tarballs, filename));
  const install = ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund'];
  await ok([...install, ...files], directory);
  return {
    directory,
    packed: new Map(packages.map((each) => [each.name, each])),
    run: (command, env = {}) => runProgram(command, { cwd: directory, env }),
  };
}

/** The published manifest of a package, and that of the workspace that it is made of. */
export async function manifestsOf(name: string): Promise<{ published: Manifest; own: Manifest }> {
  const folder = name === 'reposure' ? 'cli' : 'core';
  const read = async (...path: string[]): Promise<Manifest> =>
    JSON.parse(await readFile(join(root, ...path, 'package.json'), 'utf8')) as Manifest;
  const published = await read('packages', name === 'reposure' ? name : 'core');
  return { published, own: await read(folder) };
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

async function ok(command: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, { cwd });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.toString();
}
