import { ContentMismatchError } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';

/**
 * Keeps a tag that names something else from being written.
 *
 * @param name `repository:tag`
 * @param found What it names now; `undefined` if there is no such tag.
 * @throws {ContentMismatchError} if that is not `wanted`.
 */
export function refuseTag(name: string, found: Digest | undefined, wanted: Digest): void {
  if (found === undefined || found === wanted) return;
  throw new ContentMismatchError(
    `Cannot write ${name}: it names ${found} already; want no such tag, or ${wanted}. Nothing was written; --overwrite=always moves the tag`,
  );
}
