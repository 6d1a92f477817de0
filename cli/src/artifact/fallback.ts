import { mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { InputError } from '@reposure/core';

/**
 * Makes a folder's place a link to another one, for pipelines whose files are either in an artifact or
 * in a workspace: what comes next finds them at one place.
 *
 * @param fallback Empty where a workspace is not bound.
 * @throws {InputError} if there is no such folder.
 */
export async function fallBack(folder: string, fallback: string | undefined): Promise<void> {
  if (fallback === undefined) return;
  if (fallback === '') {
    throw new InputError(
      `Cannot find files for ${folder}: no artifact is named, and no folder instead; want an artifact (SOURCE_ARTIFACT) or a folder (the workspace "source", bound)`,
    );
  }
  const found = await stat(fallback).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new InputError(`Cannot use ${fallback} for ${folder}: it is no folder; want one`);
  }
  await mkdir(dirname(resolve(folder)), { recursive: true });
  await symlink(resolve(fallback), folder);
}
