import type { Source } from '../content/index.ts';
import { narrowed } from '../content/narrowed.ts';
import { NotFoundError } from '../errors.ts';
import { describeReference } from '../oci/index.ts';
import type { Document, Platform, Target } from '../oci/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Route } from '../surrogate/index.ts';
import { RemoteRepository } from './remote-repository.ts';
import type { RemoteOptions } from './remote-repository.ts';
import { SourceError } from './source-error.ts';

/** What reading a remote image takes besides its name. */
export interface RegistrySourceOptions extends RemoteOptions {
  /** Keeps only these of an index. */
  readonly platforms?: readonly Platform[] | undefined;
  /** `docker://host/` or the like, for messages: stands before the image's name. */
  readonly prefix?: string | undefined;
}

/**
 * An image in a registry, to be read like one on this side: nothing is kept here but its manifests.
 *
 * @param target By its tag, `latest` if it has neither tag nor digest.
 * @returns Closing it does not close the route.
 * @throws {NotFoundError} if the registry has no such image.
 * @throws {InputError} if it is not for the platforms.
 * @throws {SourceError} if the registry fails, after the retries.
 */
export async function registrySource(
  route: Pick<Route, 'request'>,
  target: Target,
  options: RegistrySourceOptions = {},
): Promise<Source> {
  const { repository, named } = await openRemote(route, target, options);
  return await sourceOf(repository, named, options.platforms);
}

/** Reads what the name of an image stands for. @throws as {@link registrySource} */
export async function openRemote(
  route: Pick<Route, 'request'>,
  target: Target,
  options: RegistrySourceOptions,
): Promise<{ readonly repository: RemoteRepository; readonly named: Document }> {
  const { repository: path, digest } = target;
  const { tag = digest ? undefined : 'latest' } = target;
  const description = `${options.prefix ?? ''}${describeReference({ repository: path, tag, digest })}`;
  const repository = new RemoteRepository(route, { repository: path, description }, options);
  try {
    return { repository, named: await repository.document(digest ?? tag ?? '') };
  } catch (error) {
    if (!isNothingThere(error)) throw error;
    const next = options.prefix
      ? 'want the name of an image that this login may read'
      : '`reposure image list` shows what it has';
    throw new NotFoundError(`Cannot read ${description}: the registry has no such image; ${next}`, {
      cause: error,
    });
  }
}

/** The image, or those of its platforms that are asked for. @throws {InputError} if there are none. */
export async function sourceOf(
  repository: RemoteRepository,
  { descriptor: root }: Document,
  platforms: readonly Platform[] = [],
): Promise<Source> {
  const source: Source = {
    root,
    description: repository.description,
    names: [],
    read: (descriptor, how) => repository.read(descriptor, how),
    close: async () => {},
  };
  return platforms.length > 0 ? await narrowed(source, platforms) : source;
}

/** Whether the registry itself said that there is no such thing. */
export function isNothingThere(error: unknown): boolean {
  return (
    error instanceof SourceError && error.cause instanceof RegistryError && error.cause.isNotFound
  );
}
