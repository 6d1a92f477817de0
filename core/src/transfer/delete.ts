import { NotFoundError } from '../errors.ts';
import { describeReference } from '../oci/index.ts';
import type { Digest, Target } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Route } from '../surrogate/index.ts';

/** What a delete removed. */
export interface DeleteResult {
  readonly repository: string;
  /** The tag that is gone; none if the manifest itself was removed. */
  readonly tag?: string;
  /** What the tag named, or the manifest that is gone with all of its tags. */
  readonly digest: Digest;
}

/**
 * Removes the tag that is named, and only it; a target with a digest and no tag removes the manifest.
 *
 * @throws {NotFoundError} if there is none.
 * @throws {RegistryError} if the registry does not allow it.
 */
export async function deleteImage(
  route: Route,
  target: Target,
  signal?: AbortSignal,
): Promise<DeleteResult> {
  const client = new RegistryClient(route.request);
  const { repository, digest } = target;
  const tag = digest ? undefined : (target.tag ?? 'latest');
  const found = await client.statManifest(repository, digest ?? tag ?? '', signal);
  if (!found) {
    throw new NotFoundError(
      `Cannot delete ${describeReference({ repository, tag, digest })}: the registry has no such image; \`reposure image list\` shows what it has`,
    );
  }
  if (tag) {
    await client.deleteTag(repository, tag, signal);
    return { repository, tag, digest: found.digest };
  }
  await client.deleteManifest(repository, found.digest, signal);
  return { repository, digest: found.digest };
}
