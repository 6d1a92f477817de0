import { InputError } from '@reposure/core';
import type { Target } from '@reposure/core/oci';
import { RegistryClient } from '@reposure/core/registry';
import type { Route } from '@reposure/core/surrogate';
import { deleteImage, listImages, parseImageName } from '@reposure/core/transfer';
import type { DeleteResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { print } from '../output.ts';

interface DeleteFlags extends RouteOptions {
  readonly digest?: boolean;
  readonly all?: boolean;
}

/** `image delete REGISTRY IMAGE` */
export async function deleteAction(
  registryName: string,
  image: string | undefined,
  _: unknown,
  command: Command,
): Promise<void> {
  const flags = command.optsWithGlobals<DeleteFlags>();
  if ((image === undefined) === !flags.all) {
    throw new InputError('Cannot delete: want either the name of an image or --all');
  }
  const target = image === undefined ? undefined : parseImageName(image);
  await withRoute(flags, registryName, async ({ route, format, signal }) => {
    const targets = target
      ? [await exactly(route, target, flags, signal)]
      : await everything(route, flags, signal);
    const results: DeleteResult[] = [];
    for (const each of targets) results.push(await deleteImage(route, each, signal));
    const names = results.map(nameOf);
    await print(format, {
      value: results,
      names,
      text: names.map((name) => `Deleted ${name}`).join('\n'),
    });
  });
}

/** Every tag, or every manifest that has one: each once, though it may have several. */
async function everything(
  route: Route,
  { digest: isByDigest }: DeleteFlags,
  signal: AbortSignal,
): Promise<readonly Target[]> {
  const images = await listImages(route, { signal });
  // A listed image carries both; it is the tag that goes.
  if (!isByDigest) return images.map(({ repository, tag }) => ({ repository, tag }));
  const manifests = images.map(
    ({ repository, digest }) => [`${repository}@${digest}`, { repository, digest }] as const,
  );
  return [...new Map(manifests).values()];
}

async function exactly(
  route: Route,
  target: Target,
  flags: DeleteFlags,
  signal: AbortSignal,
): Promise<Target> {
  if (target.digest || !flags.digest) return target;
  const { repository, tag = 'latest' } = target;
  const found = await new RegistryClient(route.request).statManifest(repository, tag, signal);
  // Nothing there: deleteImage() says so by its name.
  return found ? { repository, digest: found.digest } : target;
}

function nameOf({ repository, tag, digest }: DeleteResult): string {
  return tag ? `${repository}:${tag}` : `${repository}@${digest}`;
}
