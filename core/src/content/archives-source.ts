import { basename } from 'node:path';

import type { ByteStream } from '../bytes.ts';
import { NotFoundError } from '../errors.ts';
import type { Log } from '../log.ts';
import { annotationKeys, digestOf, documentOf, layerTypes, mediaTypes } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { tarOf } from './artifact-tar.ts';
import { assembledSource, openerOf } from './assembled-source.ts';
import type { Opener } from './assembled-source.ts';
import type { Source } from './content.ts';
import { Count } from './count.ts';
import { readFileFrom } from './file-bytes.ts';
import { packed, parsePacking } from './packing.ts';
import { tarEnd } from './tar-headers.ts';
import { TemporaryFolder } from './temporary.ts';

/** A file or folder that becomes one archive. */
export interface ArchiveItem {
  /** What the archive is called. */
  readonly title: string;
  /** Nothing there makes an empty archive. */
  readonly path: string;
}

/** Archives of files and folders, as one artifact. */
export interface ArchivesSource extends Source {
  /** One for each item, in its order. */
  readonly archives: readonly Descriptor[];
}

type TitledDescriptor = Descriptor & { annotations: Record<string, string> };

/** What `oras push` calls what nobody gave a type. */
const artifactType = 'application/vnd.unknown.artifact.v1';
const emptyConfig = new TextEncoder().encode('{}');

/**
 * Packs each item into a gzipped tar of its own: entries sorted, owners and times left out, so that
 * equal content has an equal digest.
 *
 * @throws {InputError} if something there cannot be read.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export async function archivesSource(
  items: readonly ArchiveItem[],
  options: { readonly log: Log; readonly signal?: AbortSignal | undefined },
): Promise<ArchivesSource> {
  const temporary = new TemporaryFolder();
  try {
    const archives: TitledDescriptor[] = [];
    const blobs = new Map<Digest, Opener>();
    for (const { title, path } of items) {
      const stored = new Count();
      const tar = await tarOfItem(path, options);
      const file = await temporary.spool(stored.of(packed(tar, parsePacking())), options.signal);
      const annotations = { [annotationKeys.title]: title };
      const archive = { ...stored.descriptor(layerTypes.gzip), annotations };
      archives.push(archive);
      blobs.set(archive.digest, ({ offset = 0, signal }) => readFileFrom(file, offset, signal));
    }
    return { ...sourceOf(archives, blobs, () => temporary.remove()), archives };
  } catch (error) {
    await temporary.remove();
    throw error;
  }
}

function sourceOf(
  archives: readonly TitledDescriptor[],
  blobs: ReadonlyMap<Digest, Opener>,
  close: () => Promise<void>,
): Source {
  const digest = digestOf(emptyConfig);
  const manifest = documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: mediaTypes.ociEmpty, digest, size: emptyConfig.byteLength },
    layers: [...archives],
  });
  const all = [
    ...blobs,
    [digest, openerOf(emptyConfig)] as const,
    [manifest.descriptor.digest, openerOf(manifest.bytes)] as const,
  ];
  const titles = archives.map(({ annotations }) => annotations[annotationKeys.title]);
  return assembledSource({
    description: `artifact ${titles.join(', ')}`,
    names: [],
    root: manifest.descriptor,
    blobs: new Map(all),
    close,
  });
}

async function tarOfItem(
  path: string,
  options: Parameters<typeof archivesSource>[1],
): Promise<ByteStream> {
  try {
    return await tarOf(path, basename(path), options);
  } catch (error) {
    if (error instanceof NotFoundError) return nothing();
    throw error;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {
  yield tarEnd;
}
