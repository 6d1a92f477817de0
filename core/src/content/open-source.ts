import { stat } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { ContentInvalidError } from '../oci/index.ts';
import type { Platform } from '../oci/index.ts';
import { isCut, openArchive, probe } from './archive.ts';
import { artifactSource } from './artifact-source.ts';
import type { Source } from './content.ts';
import { readingError } from './file-bytes.ts';
import { FolderFiles } from './files.ts';
import { findLocation } from './location.ts';
import type { Location } from './location.ts';
import { narrowed } from './narrowed.ts';
import { indexFile, layoutFile, ociSource } from './oci-source.ts';
import { TemporaryFolder } from './temporary.ts';

/** What opening a source takes besides its place. */
export interface OpenSourceOptions {
  /** What `-` means. */
  readonly stdin?: ByteStream;
  /** An existing folder for what must be unpacked or packed first; the system's own by default. */
  readonly temporaryDirectory?: string;
  /** Keeps only these of an index; an image made of files says it runs on the first of them. */
  readonly platforms?: readonly Platform[];
  /** Which image of an archive or layout that has several. */
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log;
}

/**
 * Opens an image on this side, or makes one of a file or folder. Whoever opens it closes it.
 *
 * @param text `oci:DIR[:name]`, `oci-archive:FILE[:name]`, `docker-archive:FILE[:name]`,
 * `file:PATH`, `-` for standard input, or a path: what lies there is told by its content.
 * @throws {NotFoundError} if there is nothing.
 * @throws {InputError} if it cannot be told which image is meant.
 * @throws {ContentInvalidError} if it is truncated or corrupt.
 * @throws {ContentMismatchError} if something in it is not what its digest says.
 * @throws {DiskFullError} if there is no room for what must be unpacked or packed first.
 */
export async function openSource(text: string, options: OpenSourceOptions = {}): Promise<Source> {
  const location = await findLocation(text);
  const temporary = await TemporaryFolder.make(options.temporaryDirectory);
  try {
    const opened = await open(location, { text, temporary, options });
    const source = await chosen(opened, options);
    return {
      root: source.root,
      description: source.description,
      names: source.names,
      read: (descriptor, how) => source.read(descriptor, how),
      close: async () => {
        try {
          await source.close();
        } finally {
          await temporary.remove();
        }
      },
    };
  } catch (error) {
    await temporary.remove();
    throw error;
  }
}

interface Opening {
  readonly text: string;
  readonly temporary: TemporaryFolder;
  readonly options: OpenSourceOptions;
}

async function chosen(source: Source, { platforms = [] }: OpenSourceOptions): Promise<Source> {
  if (platforms.length === 0) return source;
  try {
    return await narrowed(source, platforms);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function open(location: Location, opening: Opening): Promise<Source> {
  const { kind, path } = location;
  if (path === '') throw new InputError(`Cannot read "${opening.text}": want a path behind it`);
  const name = location.name ?? opening.options.name;
  switch (kind) {
    case 'oci':
      return openLayout(path, opening, name);
    case 'oci-archive':
    case 'docker-archive':
      return openArchive(await fileOf(path, opening), { ...archiveOptions(opening, name), kind });
    case 'file':
      return artifact(path, opening);
    case 'bare':
      return openBare(path, opening, name);
  }
}

/** A path without a prefix: what is there says what it is. */
async function openBare(path: string, opening: Opening, name?: string): Promise<Source> {
  if (path !== '-') {
    const found = await statOf(path);
    if (found.isDirectory()) {
      const files = new FolderFiles(path, path);
      const isLayout = (await files.has(layoutFile)) && (await files.has(indexFile));
      return isLayout ? ociSource(files, name) : artifact(path, opening);
    }
  }
  const file = await fileOf(path, opening);
  const found = await probe(file.path, file.what);
  if (found.isTar || /\.(?:tar|tar\.gz|tgz|tar\.zst)$/i.test(path)) {
    return openArchive(file, archiveOptions(opening, name));
  }
  if (await isCut(file, found.compression, opening.options.signal)) {
    const otherwise = path === '-' ? '' : `, or write file:${path} to push it as it is`;
    throw new ContentInvalidError(
      `Cannot read ${file.what}: its ${found.compression} stream is truncated; want the whole file${otherwise}`,
    );
  }
  if (path !== '-') return artifact(path, opening);
  throw new InputError(
    `Cannot read standard input: it is ${found.isEmpty ? 'empty' : 'not a tar archive'}; want what docker save, podman save or an OCI archive has, or write it to a file and name that`,
  );
}

async function openLayout(path: string, { text }: Opening, name?: string): Promise<Source> {
  const found = await statOf(path);
  const files = new FolderFiles(path, text);
  if (found.isDirectory() && (await files.has(indexFile))) return ociSource(files, name);
  throw new InputError(
    `Cannot read ${text}: ${path} is not an OCI image layout; want a folder with ${indexFile} and ${layoutFile}`,
  );
}

async function artifact(path: string, { temporary, options }: Opening): Promise<Source> {
  const { log = silent, name, platforms = [], signal } = options;
  if (name !== undefined) {
    throw new InputError(
      `Cannot find image "${name}" in ${path}: a plain file or folder has no named images; leave the name out`,
    );
  }
  return artifactSource(path, { temporary, log, signal, platform: platforms[0] });
}

/** Standard input is put into a file first: archives are read here and there, not in order. */
async function fileOf(
  path: string,
  { text, temporary, options }: Opening,
): Promise<{ path: string; what: string }> {
  if (path !== '-') return { path, what: text };
  if (!options.stdin) throw new InputError('Cannot read standard input: there is none here');
  return { path: await temporary.spool(options.stdin, options.signal), what: 'standard input' };
}

function archiveOptions(
  { temporary, options: { signal } }: Opening,
  name: string | undefined,
): Parameters<typeof openArchive>[1] {
  return { temporary, name, signal };
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch (error) {
    throw readingError(error, path);
  }
}
