import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { InputError } from '../errors.ts';
import {
  annotationKeys,
  ContentInvalidError,
  describePlatform,
  isDigest,
  maxManifestBytes,
  parseDocument,
  partsOf,
  verified,
} from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { ReadOptions, Source } from './content.ts';
import type { Files } from './files.ts';

/** The files of an OCI image layout. */
export const layoutFile = 'oci-layout';
export const indexFile = 'index.json';
export const blobsFolder = 'blobs';

/** Where a layout keeps a blob. Only what is a digest by its syntax ever gets into a path. */
export function blobPathOf({ digest }: Pick<Descriptor, 'digest'>): string {
  if (!isDigest(digest)) {
    throw new ContentInvalidError(`Cannot read blob "${String(digest)}": it is not a digest`);
  }
  const { algorithm, hex } = partsOf(digest);
  return `${blobsFolder}/${algorithm}/${hex}`;
}

/**
 * An image in an OCI layout; digests stay as they are.
 *
 * @param name Which one of several, by its annotation or digest.
 * @throws {InputError} if it cannot be told which image is meant.
 * @throws {ContentInvalidError} if the index or the image's manifest is not what it should be.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function ociSource(files: Files, name?: string): Promise<Source> {
  const index = await collect(
    files.read(indexFile),
    `${indexFile} of ${files.what}`,
    maxManifestBytes,
  );
  const entry = pick(entriesOf(index, files.what), name, files.what);
  const { mediaType, digest, size, platform } = entry;
  const root = { mediaType, digest, size, ...(platform ? { platform } : {}) };
  const read = async function* (descriptor: Descriptor, options?: ReadOptions): ByteStream {
    yield* files.read(blobPathOf(descriptor), options);
  };
  const bytes = await collect(
    verified(read(root), root),
    `the manifest of ${files.what}`,
    maxManifestBytes,
  );
  parseDocument(bytes, mediaType);
  return {
    root,
    description: files.what,
    names: namesOf(entry),
    read,
    close: () => files.close(),
  };
}

function entriesOf(bytes: Uint8Array, what: string): readonly Descriptor[] {
  const { content } = parseDocument(bytes);
  if (content.kind !== 'index') {
    throw new ContentInvalidError(`Cannot read ${what}: its ${indexFile} lists no manifests`);
  }
  return content.index.manifests;
}

function pick(entries: readonly Descriptor[], name: string | undefined, what: string): Descriptor {
  const found =
    name === undefined
      ? entries
      : entries.filter((entry) => entry.digest === name || namesOf(entry).includes(name));
  const [entry] = found;
  if (entry && found.every(({ digest }) => digest === entry.digest)) return entry;
  if (entries.length === 0) throw new InputError(`Cannot read ${what}: it holds no image`);
  const choice = entries.map(describeEntry).join(', ');
  throw new InputError(
    name === undefined
      ? `Cannot tell which image of ${what} is meant: it has ${choice}; put the name behind a colon`
      : `Cannot find image "${name}" in ${what}: it has ${choice}`,
  );
}

function namesOf({ annotations = {} }: Descriptor): readonly string[] {
  const written = [annotations[annotationKeys.imageName], annotations[annotationKeys.refName]];
  return written.filter((name): name is string => Boolean(name));
}

function describeEntry(entry: Descriptor): string {
  const [name = entry.digest] = namesOf(entry);
  return entry.platform ? `${name} (${describePlatform(entry.platform)})` : name;
}
