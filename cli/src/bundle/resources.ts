import { readFile } from 'node:fs/promises';

import { explain, InputError, parseInput } from '@reposure/core';
import { BundleResource } from '@reposure/core/content';
import { parseManifests } from '@reposure/core/deploy';

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
  return parseManifests(text, file).map(({ object, origin }) =>
    parseInput(BundleResource, object, origin),
  );
}
