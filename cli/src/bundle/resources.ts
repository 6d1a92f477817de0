import { readFile } from 'node:fs/promises';

import { explain, InputError, parseInput } from '@reposure/core';
import { BundleResource } from '@reposure/core/content';
import { parseAllDocuments } from 'yaml';

/**
 * Reads Tekton's resources, as kubectl would apply them.
 *
 * @throws {InputError} if a file cannot be read, or holds something else.
 */
export async function readResources(files: readonly string[]): Promise<BundleResource[]> {
  const read = await Promise.all(files.map(resourcesOf));
  return read.flat();
}

async function resourcesOf(file: string): Promise<BundleResource[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InputError(`Cannot read ${file}: ${explain(cause)}`, { cause });
  });
  // Kubernetes reads YAML 1.1, in which yes, no, on and off are booleans.
  const documents = parseAllDocuments(text, { version: '1.1' });
  const problem = [...documents].flatMap(({ errors }) => errors)[0];
  if (problem) throw new InputError(`Cannot read ${file}: ${problem.message}`, { cause: problem });
  return [...documents]
    .map((document) => document.toJS() as unknown)
    .filter((value) => value !== null)
    .map((value) => parseInput(BundleResource, value, file));
}
