import { archivesSource, TemporaryFolder, unpackArchive } from '../content/index.ts';
import type { ArchiveItem, Unpacked } from '../content/index.ts';
import { InputError, NotFoundError } from '../errors.ts';
import { silent } from '../log.ts';
import { describeReference, parseReference } from '../oci/index.ts';
import type { Digest, Reference } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Route } from '../surrogate/index.ts';
import type { Destination } from './destination.ts';
import { retryingOf } from './options.ts';
import type { TransferOptions } from './options.ts';
import { push } from './push.ts';
import type { TransferResult } from './result.ts';

/**
 * Files that travel from one step of a pipeline to the next through a registry: a gzipped tar by its
 * own digest, so that nobody in between can change it. Written `oci:HOST/REPOSITORY@DIGEST`.
 *
 * @see https://github.com/konflux-ci/build-trusted-artifacts
 */
export type Artifact = Reference & { readonly digest: Digest };

const scheme = 'oci:';

/** @throws {InputError} if it is something else. */
export function parseArtifact(text: string): Artifact {
  try {
    if (!text.startsWith(scheme)) throw new SyntaxError(`it does not begin with ${scheme}`);
    const reference = parseReference(text.slice(scheme.length));
    const { digest } = reference;
    if (digest === undefined) throw new SyntaxError('it has no digest');
    return { ...reference, digest };
  } catch (cause) {
    throw new InputError(
      `Cannot use artifact "${text}": want oci:HOST/REPOSITORY@sha256:…, as \`artifact create\` writes it`,
      { cause },
    );
  }
}

/** As pipelines hand it on. */
export function describeArtifact({ registry, repository, digest }: Artifact): string {
  return `${scheme}${describeReference({ registry, repository, digest })}`;
}

/** What {@link createArtifacts} made. */
export interface CreatedArtifacts {
  /** One for each item, in its order. */
  readonly artifacts: readonly Artifact[];
  readonly push: TransferResult;
}

/**
 * Packs files and folders, and puts them into a registry. The tag keeps the registry's garbage
 * collection from taking them.
 *
 * @param options.pushHost The registry's name, by which the artifacts are called.
 */
export async function createArtifacts(
  route: Route,
  items: readonly ArchiveItem[],
  destination: Destination,
  options: TransferOptions & { readonly pushHost: string },
): Promise<CreatedArtifacts> {
  const { log = silent, signal } = options;
  const source = await archivesSource(items, { log, signal });
  try {
    const result = await push(route, source, destination, options);
    const registry = options.pushHost;
    const { repository } = destination;
    const artifacts = source.archives.map(({ digest }) => ({ registry, repository, digest }));
    return { artifacts, push: result };
  } finally {
    await source.close();
  }
}

/**
 * Brings the files of an artifact into a folder. The whole is here, and is what its digest says,
 * before anything of it is unpacked.
 *
 * @param directory New or empty.
 * @throws {NotFoundError} if the registry does not have it.
 * @throws {ContentMismatchError} if it is not what its digest says.
 */
export async function useArtifact(
  route: Route,
  artifact: Artifact,
  directory: string,
  options: TransferOptions = {},
): Promise<Unpacked> {
  const { log = silent, signal, stallTimeoutMs } = options;
  const client = new RegistryClient(route.request, { log, stallTimeoutMs });
  const temporary = new TemporaryFolder();
  try {
    const { repository, digest } = artifact;
    const fetch = async (): Promise<string> => {
      const size = await client.statBlob(repository, digest, signal);
      if (size === undefined) throw missing(artifact);
      // `openBlob` proves it on the way; the file is complete, or this throws.
      const content = await client.openBlob(repository, { digest, size }, { signal });
      return await temporary.spool(content, signal);
    };
    const file = await retryingOf(options)(describeArtifact(artifact), fetch);
    return await unpackArchive(file, directory, { log, signal });
  } finally {
    await temporary.remove();
  }
}

function missing(artifact: Artifact): NotFoundError {
  return new NotFoundError(
    `Cannot use artifact ${describeArtifact(artifact)}: the registry does not have it (any more); run what made it again`,
  );
}
