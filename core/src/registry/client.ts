import type { ByteStream } from '../bytes.ts';
import type { Log } from '../log.ts';
import type { Descriptor, Digest, Document } from '../oci/index.ts';
import { ask } from './answer.ts';
import { Blobs } from './blobs.ts';
import type { Addressed, OpenOptions } from './blobs.ts';
import { Listing } from './listing.ts';
import { Manifests } from './manifests.ts';
import type { Sendable } from './manifests.ts';
import { requestLine } from './request-line.ts';
import { breakingStalls, defaultStallTimeoutMs } from './stall.ts';
import type { Transport } from './transport.ts';
import { untag } from './untag.ts';
import { Uploads } from './uploads.ts';
import type { MountResult, Upload } from './uploads.ts';

/** Settings of a {@link RegistryClient}. */
export interface RegistryClientOptions {
  /** Is told each request and the status of its answer. */
  readonly log?: Log | undefined;
  /** A request that moves no byte for so long is broken off, and is worth another try; 60 s by default. */
  readonly stallTimeoutMs?: number | undefined;
}

/**
 * One registry, as the distribution API shows it, whichever way the requests go.
 *
 * Every method throws {@link RegistryError} or {@link AuthenticationError} if the registry refuses,
 * and what the transport throws if it is not reached. Repositories, tags and digests are checked
 * before they become a path.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export class RegistryClient {
  readonly #request: Transport;
  readonly #blobs: Blobs;
  readonly #uploads: Uploads;
  readonly #manifests: Manifests;
  readonly #listing: Listing;

  constructor(request: Transport, options: RegistryClientOptions = {}) {
    const { log, stallTimeoutMs = defaultStallTimeoutMs } = options;
    const watched = breakingStalls(request, stallTimeoutMs);
    this.#request = log ? logged(watched, log) : watched;
    this.#blobs = new Blobs(this.#request);
    this.#uploads = new Uploads(this.#request);
    this.#manifests = new Manifests(this.#request);
    this.#listing = new Listing(this.#request, this.#manifests);
  }

  /** Makes sure that there is a registry, and that it lets us in. */
  async ping(signal?: AbortSignal): Promise<void> {
    const response = await ask(this.#request, { method: 'GET', path: '/v2/', signal }, [200]);
    await response.discard();
  }

  /** The size of a blob in bytes, or `undefined` if it is not there. */
  statBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    return this.#blobs.stat(repository, digest, signal);
  }

  /**
   * Reads a blob; whoever gets the stream reads it to its end or aborts it.
   *
   * The whole is verified while it is read. From an offset on it is not: the caller has the bytes
   * before it, and hashes.
   *
   * @throws {ContentMismatchError} before or while reading, if it is not what `descriptor` says.
   */
  openBlob(
    repository: string,
    descriptor: Addressed,
    options: OpenOptions = {},
  ): Promise<ByteStream> {
    return this.#blobs.open(repository, descriptor, options);
  }

  /** Takes a blob over from another repository, or begins an upload where that cannot be. */
  mountBlob(
    repository: string,
    digest: Digest,
    fromRepository: string,
    signal?: AbortSignal,
  ): Promise<MountResult> {
    return this.#uploads.mount(repository, digest, fromRepository, signal);
  }

  /** Begins an upload. */
  startUpload(repository: string, signal?: AbortSignal): Promise<Upload> {
    return this.#uploads.start(repository, signal);
  }

  /**
   * Asks the registry where an upload stands.
   *
   * @throws {RegistryError} with `isNotFound` if the registry has forgotten it.
   */
  statUpload(upload: Upload, signal?: AbortSignal): Promise<Upload> {
    return this.#uploads.stat(upload, signal);
  }

  /**
   * Sends the next bytes of an upload.
   *
   * @returns Where the upload stands now, in the registry's words: go on from there.
   */
  appendUpload(
    upload: Upload,
    body: ByteStream | Uint8Array,
    options: { readonly size: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Upload> {
    return this.#uploads.append(upload, body, options);
  }

  /**
   * Turns what was sent, and `body` as its last bytes, into a blob.
   *
   * @returns The digest under which the registry keeps it: some keep all of them by one algorithm.
   * @throws {ContentMismatchError} if the registry stored it under another digest.
   */
  finishUpload(
    upload: Upload,
    digest: Digest,
    options: { readonly body?: Uint8Array; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Digest> {
    return this.#uploads.finish(upload, digest, options);
  }

  /** Lets the registry forget an upload; it is no error if it has already, or cannot. */
  cancelUpload(upload: Upload, signal?: AbortSignal): Promise<void> {
    return this.#uploads.cancel(upload, signal);
  }

  /**
   * Reads a manifest or index.
   *
   * @param reference A tag or a digest.
   * @throws {ContentMismatchError} if its content has another digest than was asked for or stated.
   * @throws {ContentInvalidError} if it is not what its media type says.
   * @throws {LimitExceededError} if it is larger than a manifest may be.
   */
  getManifest(repository: string, reference: string, signal?: AbortSignal): Promise<Document> {
    return this.#manifests.get(repository, reference, signal);
  }

  /** What a tag or digest stands for, or `undefined` if it does not exist. */
  statManifest(
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ): Promise<Descriptor | undefined> {
    return this.#manifests.stat(repository, reference, signal);
  }

  /**
   * Stores a manifest or index, byte for byte, under a tag or its digest.
   *
   * @throws {ContentMismatchError} if the registry stored it under another digest.
   */
  putManifest(
    repository: string,
    reference: string,
    document: Sendable,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#manifests.put(repository, reference, document, signal);
  }

  /** Removes a manifest, and with it every tag that stands for it. */
  deleteManifest(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.#manifests.delete(repository, digest, signal);
  }

  /**
   * Removes one tag and only it, also from registries that delete by digest alone.
   *
   * @throws {NotFoundError} if the tag does not exist.
   * @throws {UnsupportedError} if the registry deletes nothing; the tag is then as it was.
   */
  deleteTag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    const parts = {
      request: this.#request,
      blobs: this.#blobs,
      uploads: this.#uploads,
      manifests: this.#manifests,
    };
    return untag(parts, { repository, tag, signal });
  }

  /** The tags of a repository, in the registry's order. */
  listTags(repository: string, signal?: AbortSignal): AsyncGenerator<string, void> {
    return this.#listing.tags(repository, signal);
  }

  /** The repositories of the registry, as far as it shows them. */
  listRepositories(signal?: AbortSignal): AsyncGenerator<string, void> {
    return this.#listing.repositories(signal);
  }

  /** What refers to a manifest: by the API, or by the tag `sha256-<hex>` where there is no API. */
  referrers(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    return this.#listing.referrers(repository, digest, signal);
  }
}

function logged(request: Transport, log: Log): Transport {
  return async (asked) => {
    const response = await request(asked);
    log.debug(`${requestLine(asked)} answered ${response.status}`);
    return response;
  };
}
