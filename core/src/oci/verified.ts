import type { ByteStream } from '../bytes.ts';
import { ReposureError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import { hasherOf } from './digest.ts';

/** Content is not what its descriptor says. */
export class ContentMismatchError extends ReposureError {
  override readonly name = 'ContentMismatchError';
  readonly code = 'CONTENT_MISMATCH';
}

/**
 * Passes content on while it proves it: the last bytes may have gone by when it throws, so what was
 * made of them counts only once the stream has ended.
 *
 * @throws {ContentMismatchError} as soon as there is too much, and at the end if anything differs.
 */
export async function* verified(
  source: ByteStream,
  expected: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array, void> {
  const hasher = hasherOf(expected.digest);
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    // Refused at once: a registry must not be able to fill the disk.
    if (size > expected.size) {
      throw new ContentMismatchError(`${expected.digest} has more than ${expected.size} bytes`);
    }
    hasher.update(chunk);
    yield chunk;
  }
  if (size < expected.size) {
    throw new ContentMismatchError(
      `${expected.digest} ended after ${size} of ${expected.size} bytes`,
    );
  }
  if (hasher.digest() !== expected.digest) {
    throw new ContentMismatchError(`${expected.digest} holds the content of another digest`);
  }
}
