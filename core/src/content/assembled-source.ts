import type { ByteStream } from '../bytes.ts';
import { parseDocument } from '../oci/index.ts';
import type { Descriptor, Digest, Document, Manifest } from '../oci/index.ts';
import { mediaTypes } from '../oci/index.ts';
import type { ReadOptions, Source } from './content.ts';
import { ContentNotFoundError } from './not-found.ts';

/** Content that can be opened again and again. */
export type Opener = (options: ReadOptions) => ByteStream;

/** What a source that we put together ourselves consists of. */
export interface Parts {
  readonly description: string;
  readonly names: readonly string[];
  readonly root: Descriptor;
  readonly blobs: ReadonlyMap<Digest, Opener>;
  readonly close: () => Promise<void>;
}

/** A source of content whose manifest is of our own making. */
export function assembledSource({ description, names, root, blobs, close }: Parts): Source {
  return {
    root,
    description,
    names,
    async *read(descriptor, options = {}) {
      const opener = blobs.get(descriptor.digest);
      if (!opener) throw notHeld(descriptor, description);
      yield* opener(options);
    },
    close,
  };
}

/** Opens bytes that are in memory. */
export function openerOf(bytes: Uint8Array): Opener {
  return async function* opened({ offset = 0 }) {
    yield bytes.subarray(offset);
  };
}

/** The OCI manifest of one image, as bytes and descriptor. */
export function manifestOf(
  config: Descriptor,
  layers: readonly Descriptor[],
  annotations?: Record<string, string>,
): Document {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [...layers],
    ...(annotations ? { annotations } : {}),
  };
  return parseDocument(new TextEncoder().encode(JSON.stringify(manifest)));
}

/** Says that a source has no such blob. */
export function notHeld({ digest }: Descriptor, description: string): ContentNotFoundError {
  return new ContentNotFoundError(
    `Cannot read ${digest} of ${description}: it is not there; want content that the image names`,
  );
}
