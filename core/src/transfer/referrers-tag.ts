import { silent } from '../log.ts';
import {
  ContentInvalidError,
  ContentMismatchError,
  describeReference,
  documentOf,
  mediaTypes,
} from '../oci/index.ts';
import type { Descriptor, Digest, Document, Index } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import { referrersTagOf } from '../registry/listing.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Route } from '../surrogate/index.ts';
import { mapConcurrently } from './concurrency.ts';
import { questionsAtOnce, retryingOf } from './options.ts';
import type { Retrying, TransferOptions } from './options.ts';

// Somebody else may write the same tag at the same moment: it is read again, and written again.
const maxTries = 3;

/**
 * Makes sure that a registry lists, with their subjects, the manifests that name one: where it has no
 * API for that, by the tag that the specification puts in its place. What that lists already stays.
 *
 * @param documents In the repository already; those without a subject are left out.
 * @throws {ContentMismatchError} if others go on overwriting the tag.
 * @throws {ContentInvalidError} if the tag names something else than an index.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function listReferrers(
  { request }: Pick<Route, 'request'>,
  repository: string,
  documents: readonly Document[],
  options: TransferOptions,
): Promise<void> {
  const { log = silent, stallTimeoutMs } = options;
  const client = new RegistryClient(request, { log, stallTimeoutMs });
  const tags = new ReferrersTags(client, repository, options);
  for (const [subject, descriptors] of bySubject(documents)) {
    await tags.list(subject, descriptors);
  }
}

class ReferrersTags {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #signal: AbortSignal | undefined;
  readonly #retrying: Retrying;

  constructor(client: RegistryClient, repository: string, options: TransferOptions) {
    this.#client = client;
    this.#repository = repository;
    this.#signal = options.signal;
    this.#retrying = retryingOf(options);
  }

  async list(subject: Digest, descriptors: readonly Descriptor[]): Promise<void> {
    const tag = referrersTagOf(subject);
    for (let tries = 0; ; tries++) {
      const listed = await this.#retrying(subject, () =>
        this.#client.referrers(this.#repository, subject, this.#signal),
      );
      // Listed by the API, or by whoever copied this before.
      if (descriptors.every(({ digest }) => listed.some((entry) => entry.digest === digest)))
        return;
      if (tries === maxTries) throw overwritten(this.#repository, tag);
      const merged = documentOf(await this.#merged(tag, descriptors));
      await this.#retrying(tag, () =>
        this.#client.putManifest(this.#repository, tag, merged, this.#signal),
      );
    }
  }

  async #merged(tag: string, descriptors: readonly Descriptor[]): Promise<Index> {
    const earlier = await this.#retrying(tag, () => this.#index(tag));
    const kept = await mapConcurrently(earlier.manifests, questionsAtOnce, (entry) =>
      this.#isThere(entry),
    );
    const manifests = [...earlier.manifests.filter((_, at) => kept[at]), ...descriptors];
    const unique = new Map(manifests.map((entry) => [entry.digest, entry]));
    return { ...earlier, manifests: [...unique.values()] };
  }

  async #index(tag: string): Promise<Index> {
    try {
      const { content } = await this.#client.getManifest(this.#repository, tag, this.#signal);
      if (content.kind === 'index') return content.index;
    } catch (error) {
      if (!(error instanceof RegistryError) || !error.isNotFound) throw error;
      return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
    }
    const name = describeReference({ repository: this.#repository, tag });
    throw new ContentInvalidError(
      `Cannot list what refers to an image under ${name}: it is an image itself; want an index, or that tag removed`,
    );
  }

  /** A registry refuses an index that lists what was deleted meanwhile. */
  async #isThere({ digest }: Descriptor): Promise<boolean> {
    const found = await this.#retrying(digest, () =>
      this.#client.statManifest(this.#repository, digest, this.#signal),
    );
    return found !== undefined;
  }
}

function bySubject(documents: readonly Document[]): ReadonlyMap<Digest, readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor[]>();
  for (const document of documents) {
    const { content } = document;
    const { subject } = content.kind === 'index' ? content.index : content.manifest;
    if (!subject) continue;
    found.set(subject.digest, [...(found.get(subject.digest) ?? []), entryOf(document)]);
  }
  return found;
}

/** As the specification has a referrer listed. */
function entryOf({ descriptor, content }: Document): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const { artifactType, annotations } = content.kind === 'index' ? content.index : content.manifest;
  const type = artifactType || (content.kind === 'manifest' && content.manifest.config.mediaType);
  return {
    mediaType,
    digest,
    size,
    ...(type ? { artifactType: type } : {}),
    ...(annotations ? { annotations } : {}),
  };
}

function overwritten(repository: string, tag: string): ContentMismatchError {
  return new ContentMismatchError(
    `Cannot list what refers to an image under ${repository}:${tag}: somebody else goes on writing it; want it left alone, and another try`,
  );
}
