import type { ByteStream } from '../bytes.ts';
import { UnsupportedError } from '../errors.ts';
import { compressionOf, ContentMismatchError, verified } from '../oci/index.ts';
import type { Source } from './content.ts';
import { Count } from './count.ts';
import type { Layer } from './image.ts';
import { unpacked } from './packing.ts';

/**
 * The tar of a layer, unpacked and proved twice: as it is stored, and as the config has it.
 *
 * Only at its end is it known to be true, so what was made of it counts from then on.
 *
 * @throws {ContentMismatchError} at the end, if it is other content.
 * @throws {UnsupportedError} if the layer is not a tar.
 */
export async function* layerTar(
  source: Pick<Source, 'read'>,
  { descriptor, diffId }: Layer,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { digest, mediaType } = descriptor;
  const compression = compressionOf(mediaType);
  if (compression === undefined) {
    throw new UnsupportedError(
      `Cannot unpack layer ${digest}: it is ${mediaType}; want a tar layer, or pull it to oci:DIR`,
    );
  }
  const stored: ByteStream = verified(source.read(descriptor, { signal }), descriptor);
  const content = new Count(diffId);
  yield* content.of(unpacked(stored, compression, `layer ${digest}`));
  if (diffId && content.digest() !== diffId) {
    throw new ContentMismatchError(
      `Cannot use layer ${digest}: its content is ${content.digest()}, the config of the image says ${diffId}`,
    );
  }
}
