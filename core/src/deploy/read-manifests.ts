import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';

import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { explain, InputError } from '../errors.ts';
import type { Manifest } from './manifest.ts';
import { parseManifests } from './parse-manifests.ts';

const suffixes = ['.yaml', '.yml', '.json'];
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);
/** etcd takes 1.5 MiB for an object; nobody deploys hundreds of such. */
const maxBytes = 64 << 20;

/**
 * Reads manifests from files, from folders with all that is below them, and from standard input.
 *
 * @param paths `-` is standard input.
 * @param stdin What `-` means; without it, `-` is refused.
 * @returns In the order of `paths`, and in a folder in that of the names.
 * @throws {InputError} if one cannot be read, or if there is no manifest at all.
 */
export async function readManifests(
  paths: readonly string[],
  stdin?: ByteStream,
): Promise<Manifest[]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new InputError('Cannot read standard input twice; want one -f -');
  }
  const manifests: Manifest[] = [];
  for (const path of paths) {
    if (path === '-' && stdin) {
      const bytes = await collect(stdin, 'the manifests on standard input', maxBytes);
      manifests.push(...parseManifests(bytes.toString(), 'standard input'));
    } else {
      for (const file of await filesOf(path)) manifests.push(...(await readOne(file)));
    }
  }
  if (manifests.length > 0) return manifests;
  throw new InputError(
    `Cannot deploy ${paths.join(', ')}: no manifest is there; want .yaml, .yml or .json`,
  );
}

async function readOne(file: string): Promise<Manifest[]> {
  try {
    return parseManifests(await readFile(file, 'utf8'), file);
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(file, error);
  }
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return [path];
    const files = await readdir(path, { recursive: true, withFileTypes: true });
    const named = files
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !isKept(relative(path, file)));
    refuseKustomizations(path, named);
    return named.filter((file) => suffixes.some((suffix) => file.endsWith(suffix))).toSorted();
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

/** In a mounted ConfigMap, `..data` and the folder that it names hold every file once more. */
function isKept(file: string): boolean {
  return file.split(sep).some((part) => part.startsWith('..'));
}

/** To apply its parts would deploy what nobody has asked for. */
function refuseKustomizations(path: string, files: readonly string[]): void {
  const found = files.find((file) => kustomizations.has(basename(file)));
  if (found === undefined) return;
  throw new InputError(
    `Cannot deploy the folder ${path}: ${found} is for kustomize; want its output: kubectl kustomize ${path} | reposure deploy -f -`,
  );
}

function unreadable(path: string, cause: unknown): InputError {
  const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const state = isMissing ? 'it does not exist' : explain(cause);
  const options = isMissing ? {} : { cause };
  return new InputError(
    `Cannot read ${path}: ${state}; want a file or folder of manifests`,
    options,
  );
}
