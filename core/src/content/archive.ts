import { InputError } from '../errors.ts';
import type { Compression } from '../oci/index.ts';
import type { Source } from './content.ts';
import { dockerManifestFile } from './docker-manifest.ts';
import { dockerSource } from './docker-source.ts';
import { readFileFrom } from './file-bytes.ts';
import { ociSource, indexFile } from './oci-source.ts';
import { compressionOfBytes, unpacked } from './packing.ts';
import { blockBytes, isTarHeader } from './tar-entries.ts';
import { TarFiles } from './tar-files.ts';
import type { TemporaryFolder } from './temporary.ts';

/** What opening an archive takes. */
export interface ArchiveOptions {
  readonly temporary: TemporaryFolder;
  /** Without it, the content decides, and an OCI index wins: it keeps the digests. */
  readonly kind?: 'oci-archive' | 'docker-archive';
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
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
  { kind, temporary, name, signal }: ArchiveOptions,
): Promise<Source> {
  if (kind !== 'docker-archive' && (await files.has(indexFile))) return ociSource(files, name);
  if (kind !== 'oci-archive' && (await files.has(dockerManifestFile))) {
    return dockerSource(files, { temporary, name, signal });
  }
  const wanted = kind
    ? { 'oci-archive': indexFile, 'docker-archive': dockerManifestFile }[kind]
    : '';
  throw new InputError(
    files.isComplete
      ? `Cannot read ${what}: the archive has no manifest (${wanted || `${indexFile} or ${dockerManifestFile}`}); to push it as a plain file write file:${path}`
      : `Cannot read ${what}: the archive has no manifest and no end mark, so it is truncated; want the whole file`,
  );
}

async function firstBytes(content: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= length) break;
  }
  return Buffer.concat(chunks).subarray(0, length);
}
