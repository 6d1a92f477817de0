import { listImages, parseImageName } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { print, table } from '../output.ts';

/** `image list REGISTRY [REPOSITORY]` */
export async function listAction(
  registryName: string,
  repository: string | undefined,
  _: unknown,
  command: Command,
): Promise<void> {
  const only = repository === undefined ? undefined : parseImageName(repository).repository;
  const flags = command.optsWithGlobals<RouteOptions>();
  await withRoute({ ...flags, access: 'read' }, registryName, async (environment) => {
    const { route, format, log, signal } = environment;
    const images = await listImages(route, { repository: only, signal });
    if (images.length === 0) log.info(`Registry "${registryName}" has no images`);
    await print(format, {
      value: images,
      names: images.map((image) => `${image.repository}:${image.tag}`),
      text: table(
        ['IMAGE', 'DIGEST'],
        images.map((image) => [`${image.repository}:${image.tag}`, image.digest]),
      ),
    });
  });
}
