import { InputError } from '../errors.ts';
import { compressionOf, ContentInvalidError } from '../oci/index.ts';
import type { Compression } from '../oci/index.ts';
import type { Source } from './content.ts';
import { TruncatedError } from './cursor.ts';
import { dockerManifestFile } from './docker-manifest.ts';
import { dockerSource } from './docker-source.ts';
import type { DockerSourceOptions } from './docker-source.ts';
import { readFileFrom } from './file-bytes.ts';
import { readDocument } from './image.ts';
import { ociSource, indexFile } from './oci-source.ts';
import { compressionOfBytes, refusePacking, unpacked } from './packing.ts';
import { refuseArtifactType } from './rerooted.ts';
import { blockBytes, isTarHeader } from './tar-entries.ts';
import { TarFiles } from './tar-files.ts';

/** What opening an archive takes. */
export interface ArchiveOptions extends DockerSourceOptions {
  /** Without it, the content decides: an OCI index wins, unless its layers are unpacked. */
  readonly kind?: 'oci-archive' | 'docker-archive' | undefined;
  /** Only for what is no docker archive. */
  readonly artifactType?: string | undefined;
}

/** A file, and what it is called in messages. */
export interface NamedFile {
  readonly path: string;
  readonly what: string;
}

/** What the first bytes of a file tell. */
export interface Probe {
  readonly compression: Compression;
  readonly isTar: boolean;
  readonly isEmpty: boolean;
}

/** Looks at the first bytes of a file, unpacked if need be. */
export async function probe(path: string, what: string): Promise<Probe> {
  const head = await firstBytes(readFileFrom(path), 4);
  const compression = compressionOfBytes(head);
  const block = await firstBytes(unpacked(readFileFrom(path), compression, what), blockBytes).catch(
    // A file that only begins like a packed one is none.
    () => Buffer.alloc(0),
  );
  return { compression, isTar: isTarHeader(block), isEmpty: head.length === 0 };
}

/**
 * Whether a packed file ends inside its stream. One that only begins like a packed one does not.
 *
 * @param compression As {@link probe} told it.
 */
export async function isCut(
  { path, what }: NamedFile,
  compression: Compression,
  signal?: AbortSignal,
): Promise<boolean> {
  if (compression === 'none') return false;
  try {
    for await (const _ of unpacked(readFileFrom(path, 0, signal), compression, what));
    return false;
  } catch (error) {
    signal?.throwIfAborted();
    return error instanceof TruncatedError;
  }
}

/**
 * Opens a tar, packed or not, that holds images.
 *
 * @throws {ContentInvalidError} if it is truncated or corrupt.
 * @throws {InputError} if there is no image in it.
 */
export async function openArchive(file: NamedFile, options: ArchiveOptions): Promise<Source> {
  const files = await openTar(file, options);
  try {
    return await imageIn(files, file, options);
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function openTar({ path, what }: NamedFile, options: ArchiveOptions): Promise<TarFiles> {
  const { temporary, signal } = options;
  const { compression, isEmpty } = await probe(path, what);
  if (isEmpty) throw new InputError(`Cannot read ${what}: it is empty; want an image archive`);
  if (compression === 'none') return TarFiles.open(path, what, signal);
  const content = unpacked(readFileFrom(path, 0, signal), compression, what);
  return TarFiles.open(await temporary.spool(content, signal), what, signal);
}

async function imageIn(
  files: TarFiles,
  { path, what }: NamedFile,
  { kind, artifactType, ...options }: ArchiveOptions,
): Promise<Source> {
  const isDocker = kind !== 'oci-archive' && (await files.has(dockerManifestFile));
  if (kind !== 'docker-archive' && (await files.has(indexFile))) {
    const source = await ociSource(files, options.name);
    if (!isDocker || !(await isUnpacked(source))) {
      refusePacking(options.packing, what, isDocker);
      return source;
    }
  }
  if (isDocker) {
    refuseArtifactType(artifactType, what);
    return dockerSource(files, options);
  }
  const wanted = kind
    ? { 'oci-archive': indexFile, 'docker-archive': dockerManifestFile }[kind]
    : '';
  if (!files.isComplete) {
    throw new ContentInvalidError(
      `Cannot read ${what}: the archive has no manifest and no end mark, so it is truncated; want the whole file`,
    );
  }
  throw new InputError(
    `Cannot read ${what}: the archive has no manifest (${wanted || `${indexFile} or ${dockerManifestFile}`}); to push it as a plain file write file:${path}`,
  );
}

/**
 * Whether every layer lies there as a plain tar.
 *
 * Docker saves images so since version 25, with an index beside its own manifest. Its digests are of
 * bytes that no registry has: kept, they would make every push send the layers uncompressed.
 *
 * @see https://github.com/moby/moby/pull/44598
 */
async function isUnpacked(source: Source): Promise<boolean> {
  const { content } = await readDocument(source, source.root);
  if (content.kind === 'index') return false;
  return content.manifest.layers.every(({ mediaType }) => compressionOf(mediaType) === 'none');
}

async function firstBytes(content: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    chunks.push(Buffer.from(chunk));
    size += chunk.byteLength;
    if (size >= length) break;
  }
  return Buffer.concat(chunks).subarray(0, length);
}
