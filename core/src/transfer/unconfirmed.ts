import { ContentMismatchError } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';

/**
 * Compares what a name stands for in the end with what was put under it.
 *
 * @param stored As the registry says now.
 * @throws {ContentMismatchError} if it is another one, or nothing.
 */
export function refuseUnconfirmed(name: string, stored: Digest | undefined, wanted: Digest): void {
  if (stored === wanted) return;
  throw new ContentMismatchError(
    `Cannot confirm ${name}: the registry has ${stored ?? 'nothing'} there; want ${wanted}. Was it pushed by somebody else at the same moment?`,
  );
}
