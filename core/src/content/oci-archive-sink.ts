import { mediaTypes } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import type { Sink } from './content.ts';
import { writeFrom } from './file-bytes.ts';
import { layoutEntry, layoutMarker } from './layout-index.ts';
import { ContentNotFoundError } from './not-found.ts';
import { blobPathOf, indexFile, layoutFile } from './oci-source.ts';
import type { OutputFile } from './output-file.ts';
import { checkSize } from './staged-blobs.ts';
import { TarOutput } from './tar-output.ts';
import type { Region } from './tar-output.ts';
import { abortable } from './temporary.ts';

/** What an archive sink needs besides its file. */
export interface ArchiveSinkOptions {
  readonly description: string;
  /** Instead of the one that `commit` gets. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An OCI image layout in a tar. Blobs go straight to their place in it, several at a time: a tar
 * wants sizes first, and descriptors have them.
 */
export async function ociArchiveSink(
  output: OutputFile,
  { description, name: ownName, signal }: ArchiveSinkOptions,
): Promise<Sink> {
  const tar = new TarOutput(output.handle);
  const regions = new Map<Digest, Promise<Region>>();
  const held = new Set<Digest>();
  await tar.file(layoutFile, layoutMarker);
  return {
    description,
    has: async ({ digest }) => held.has(digest),
    write: async (descriptor, content) => {
      const { digest, size } = descriptor;
      // A second try goes to the place of the first.
      const reserved = regions.get(digest) ?? tar.reserve(blobPathOf(descriptor), size);
      regions.set(digest, reserved);
      const { offset } = await reserved;
      const fitting = atMost(abortable(content, signal), descriptor);
      checkSize(descriptor, await writeFrom(output.handle, offset, fitting));
      held.add(digest);
    },
    commit: async (root, name) => {
      signal?.throwIfAborted();
      const absent = [root.digest, ...regions.keys()].find((digest) => !held.has(digest));
      if (absent) throw incomplete(description, absent);
      const entry = layoutEntry(root, ownName ?? name);
      const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] };
      await tar.file(indexFile, JSON.stringify(index));
      await output.publish(await tar.finish());
    },
    abort: () => output.discard(),
  };
}

/** Says that an image cannot be written because a part of it never came. */
export function incomplete(description: string, digest: Digest): ContentNotFoundError {
  return new ContentNotFoundError(
    `Cannot finish ${description}: ${digest} did not arrive; want everything that the image names`,
  );
}

/** Stops before content runs over into its neighbour. */
async function* atMost(
  content: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
): AsyncGenerator<Uint8Array, void> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > descriptor.size) checkSize(descriptor, size);
    yield chunk;
  }
}
