import { posix } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { annotationKeys, compressionOf, mediaTypes, verified } from '../oci/index.ts';
import type { Platform } from '../oci/index.ts';
import type { Source } from './content.ts';
import { StreamCursor } from './cursor.ts';
import { readLayers, readManifest } from './image.ts';
import type { Layer } from './image.ts';
import { layerTar } from './layer-tar.ts';
import { readTarEntries } from './tar-entries.ts';
import type { TarEntry } from './tar-entries.ts';

/** The only file of an image. */
export interface SingleFile {
  /** Without a folder. */
  readonly name: string;
  /**
   * Opens it; the stream ends well only if everything in it was true. Its chunks stay as they are: a
   * pipeline holds on to more than one.
   */
  readonly content: () => ByteStream;
}

/**
 * Finds the file of an image that holds exactly one, as a file that was pushed does.
 *
 * @returns `undefined` if there is more in it, or less.
 */
export async function singleFileOf(
  source: Pick<Source, 'read' | 'root'>,
  options: {
    readonly platform?: Platform | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<SingleFile | undefined> {
  const manifest = await readManifest(source, options);
  const layers = await readLayers(source, manifest, options.signal);
  const [layer, ...others] = layers.filter(
    ({ descriptor }) => descriptor.mediaType !== mediaTypes.ociEmpty,
  );
  if (!layer || others.length > 0) return undefined;
  const { descriptor } = layer;
  if (compressionOf(descriptor.mediaType) === undefined) {
    const title = descriptor.annotations?.[annotationKeys.title];
    if (!title) return undefined;
    const content = (): ByteStream => copied(verified(source.read(descriptor), descriptor));
    return { name: posix.basename(title), content };
  }
  const entry = await onlyFile(source, layer, options.signal);
  if (!entry) return undefined;
  return {
    name: posix.basename(entry.path),
    content: () => copied(contentOf(source, layer, entry)),
  };
}

async function* copied(content: ByteStream): ByteStream {
  for await (const chunk of content) yield Buffer.from(chunk);
}

/** Stops at the second entry, so that an image of many files is not read to its end for this. */
async function onlyFile(
  source: Pick<Source, 'read'>,
  layer: Layer,
  signal: AbortSignal | undefined,
): Promise<TarEntry | undefined> {
  const cursor = cursorOf(source, layer, signal);
  let only: TarEntry | undefined;
  try {
    for await (const entry of readTarEntries(cursor)) {
      if (only || entry.type !== 'file' || isWhiteout(entry)) return undefined;
      only = entry;
    }
    await cursor.drain();
    return only;
  } finally {
    await cursor.close();
  }
}

async function* contentOf(
  source: Pick<Source, 'read'>,
  layer: Layer,
  { offset, size }: TarEntry,
): AsyncGenerator<Uint8Array, void> {
  const cursor = cursorOf(source, layer);
  try {
    await cursor.skip(offset);
    yield* cursor.body(size);
    // The digests are those of the whole.
    await cursor.drain();
  } finally {
    await cursor.close();
  }
}

function cursorOf(source: Pick<Source, 'read'>, layer: Layer, signal?: AbortSignal): StreamCursor {
  return new StreamCursor(layerTar(source, layer, signal), `layer ${layer.descriptor.digest}`);
}

function isWhiteout({ path }: TarEntry): boolean {
  return posix.basename(path).startsWith('.wh.');
}
