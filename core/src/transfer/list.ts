import { NotFoundError } from '../errors.ts';
import type { Digest } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Route } from '../surrogate/index.ts';
import { mapConcurrently } from './concurrency.ts';
import { questionsAtOnce } from './options.ts';

/** One tag of a registry. */
export interface ListedImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly mediaType: string;
}

/**
 * What a registry holds under tags, by repository and tag in the registry's order.
 *
 * @param options.repository Only this one: needs no right to the catalog.
 * @throws {NotFoundError} if the registry has no such repository.
 * @throws {RegistryError} if the registry keeps its catalog to itself.
 */
export async function listImages(
  route: Route,
  options: { readonly repository?: string | undefined; readonly signal?: AbortSignal } = {},
): Promise<ListedImage[]> {
  const { repository, signal } = options;
  const client = new RegistryClient(route.request);
  const repositories = repository
    ? [repository]
    : await Array.fromAsync(client.listRepositories(signal));
  const perRepository = await mapConcurrently(repositories, 4, (name) =>
    listTags(client, name, signal),
  );
  return perRepository.flat();
}

async function listTags(
  client: RegistryClient,
  repository: string,
  signal?: AbortSignal,
): Promise<ListedImage[]> {
  const tags = await Array.fromAsync(client.listTags(repository, signal)).catch(
    (cause: unknown) => {
      if (!(cause instanceof RegistryError) || !cause.isNotFound) throw cause;
      throw new NotFoundError(
        `Cannot list ${repository}: the registry has no such repository; without a repository, all of them are listed`,
        { cause },
      );
    },
  );
  const images = await mapConcurrently(tags, questionsAtOnce, async (tag) => {
    const found = await client.statManifest(repository, tag, signal);
    return found && { repository, tag, digest: found.digest, mediaType: found.mediaType };
  });
  // A tag can go between the list and the question for it.
  return images.filter((image) => image !== undefined);
}
