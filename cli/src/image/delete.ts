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
    const targets = target ? [target] : await listImages(route, { signal });
    const results: DeleteResult[] = [];
    for (const { repository, tag, digest } of targets) {
      // A listed image carries both; it is the tag that goes.
      const named = target ? { repository, tag, digest } : { repository, tag };
      const exact = flags.digest ? await byDigest(route, named, signal) : named;
      results.push(await deleteImage(route, exact, signal));
    }
    const names = results.map(nameOf);
    await print(format, {
      value: results,
      names,
      text: names.map((name) => `Deleted ${name}`).join('\n'),
    });
  });
}

async function byDigest(route: Route, target: Target, signal: AbortSignal): Promise<Target> {
  if (target.digest) return target;
  const { repository, tag = 'latest' } = target;
  const { descriptor } = await new RegistryClient(route.request).getManifest(
    repository,
    tag,
    signal,
  );
  return { repository, digest: descriptor.digest };
}

function nameOf({ repository, tag, digest }: DeleteResult): string {
  return tag ? `${repository}:${tag}` : `${repository}@${digest}`;
}
