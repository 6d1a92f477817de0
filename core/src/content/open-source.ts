import { stat } from 'node:fs/promises';

import type { ByteStream } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { ContentInvalidError } from '../oci/index.ts';
import type { Compression, Platform } from '../oci/index.ts';
import { isCut, openArchive, probe } from './archive.ts';
import type { ArchiveOptions } from './archive.ts';
import { artifactSource } from './artifact-source.ts';
import type { StoreKind } from './container-tools.ts';
import type { FindLayers, Source } from './content.ts';
import { readingError } from './file-bytes.ts';
import { FolderFiles } from './files.ts';
import { findLocation } from './location.ts';
import type { Location } from './location.ts';
import { narrowed } from './narrowed.ts';
import { indexFile, layoutFile, ociSource } from './oci-source.ts';
import { parsePacking, refusePacking } from './packing.ts';
import type { Packing } from './packing.ts';
import { runProgram } from './program.ts';
import type { RunProgram } from './program.ts';
import { bound, checkMarks, marked, refuseArtifactType } from './rerooted.ts';
import { saveImage } from './saved-image.ts';
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
  /**
   * Which unpacked layers of a docker archive or daemon need not be packed. What it answers is in the
   * manifest, and cannot be read here. OCI layouts keep their digests and ask nothing.
   */
  readonly findLayers?: FindLayers;
  /** How layers travel that lie here unpacked; gzip by default. OCI layouts keep theirs. */
  readonly compression?: Compression;
  /** 1 to 9 for gzip, 6 by default; 1 to 19 for zstd, 3 by default. */
  readonly compressionLevel?: number;
  /** Put on the manifest or index that is the root, whose digest they change. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Likewise, for artifacts: files, folders, and what an OCI layout holds. */
  readonly artifactType?: string;
  /** Runs docker, podman, buildah or skopeo; this machine's by default. */
  readonly run?: RunProgram;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log;
}

/**
 * Opens an image on this side, or makes one of a file or folder. Whoever opens it closes it.
 *
 * @param text `oci:DIR[:name]`, `oci-archive:FILE[:name]`, `docker-archive:FILE[:name]`,
 * `docker-daemon:NAME`, `containers-storage:NAME`, `file:PATH`, `-` for standard input, or a path: what
 * lies there is told by its content.
 * @throws {NotFoundError} if there is nothing.
 * @throws {InputError} if it cannot be told which image is meant, or an option does not go with it.
 * @throws {UnreachableError} if a daemon does not answer.
 * @throws {UnsupportedError} if a tool that keeps the image cannot save it.
 * @throws {ContentInvalidError} if it is truncated or corrupt.
 * @throws {ContentMismatchError} if something in it is not what its digest says.
 * @throws {DiskFullError} if there is no room for what must be unpacked or packed first.
 */
export async function openSource(text: string, options: OpenSourceOptions = {}): Promise<Source> {
  const packing = parsePacking(options.compression, options.compressionLevel);
  checkMarks(options);
  const location = await findLocation(text);
  const temporary = new TemporaryFolder(options.temporaryDirectory);
  try {
    const opened = await open(location, { text, temporary, packing, options });
    const source = await shaped(opened, options);
    return {
      ...bound(source),
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
  readonly packing: Packing;
  readonly options: OpenSourceOptions;
}

/** The part that is wanted, with the marks that are wanted on it. */
async function shaped(source: Source, options: OpenSourceOptions): Promise<Source> {
  const { platforms = [] } = options;
  try {
    return await marked(platforms.length > 0 ? await narrowed(source, platforms) : source, options);
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
      return openArchive(await fileOf(path, opening), archiveOptions(opening, { kind, name }));
    case 'docker-daemon':
    case 'containers-storage':
      return openStored({ kind, name: path }, opening);
    case 'file':
      return artifact(path, opening);
    case 'bare':
      return openBare(path, opening, name);
  }
}

/** The layout that a daemon writes beside its archive has digests that no registry ever saw. */
async function openStored(
  image: { readonly kind: StoreKind; readonly name: string },
  opening: Opening,
): Promise<Source> {
  const { text, temporary, options } = opening;
  refuseArtifactType(options.artifactType, text);
  if (options.name !== undefined) {
    throw new InputError(
      `Cannot find image "${options.name}" in ${text}: the image is named already; leave the name out`,
    );
  }
  const { run = runProgram, signal } = options;
  const path = await saveImage(image, { temporary, run, signal });
  return openArchive({ path, what: text }, archiveOptions(opening, { kind: 'docker-archive' }));
}

/** A path without a prefix: what is there says what it is. */
async function openBare(path: string, opening: Opening, name?: string): Promise<Source> {
  if (path.startsWith('docker://')) throw remote(path);
  if (path !== '-') {
    const found = await statOf(path);
    if (found.isDirectory()) {
      const files = new FolderFiles(path, path);
      const isLayout = (await files.has(layoutFile)) && (await files.has(indexFile));
      return isLayout ? layout(files, opening, name) : artifact(path, opening);
    }
  }
  const file = await fileOf(path, opening);
  const found = await probe(file.path, file.what);
  if (found.isTar || /\.(?:tar|tar\.gz|tgz|tar\.zst)$/i.test(path)) {
    return openArchive(file, archiveOptions(opening, { name }));
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

async function openLayout(path: string, opening: Opening, name?: string): Promise<Source> {
  const { text } = opening;
  const found = await statOf(path);
  const files = new FolderFiles(path, text);
  if (found.isDirectory() && (await files.has(indexFile))) return layout(files, opening, name);
  throw new InputError(
    `Cannot read ${text}: ${path} is not an OCI image layout; want a folder with ${indexFile} and ${layoutFile}`,
  );
}

function layout(files: FolderFiles, { packing }: Opening, name?: string): Promise<Source> {
  refusePacking(packing, files.what);
  return ociSource(files, name);
}

async function artifact(path: string, { temporary, packing, options }: Opening): Promise<Source> {
  const { log = silent, name, platforms = [], signal } = options;
  if (name !== undefined) {
    throw new InputError(
      `Cannot find image "${name}" in ${path}: a plain file or folder has no named images; leave the name out`,
    );
  }
  return artifactSource(path, { temporary, packing, log, signal, platform: platforms[0] });
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
  { temporary, packing, options: { findLayers, artifactType, signal } }: Opening,
  chosen: Pick<ArchiveOptions, 'kind' | 'name'>,
): ArchiveOptions {
  return { ...chosen, temporary, packing, findLayers, artifactType, signal };
}

function remote(text: string): InputError {
  return new InputError(
    `Cannot read ${text} here: an image in a registry can be the source of a push, and of nothing else; pull it first, e.g. to oci:DIR`,
  );
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch (error) {
    throw readingError(error, path);
  }
}
