import { streamOf } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import type { ReadOptions } from '../content/index.ts';
import { isTransient } from '../errors.ts';
import { silent } from '../log.ts';
import { isDigest, isIndexType, isManifestType } from '../oci/index.ts';
import type { Descriptor, Digest, Document } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import { pauseAfter } from '../retry.ts';
import type { Route } from '../surrogate/index.ts';
import { retryingOf, tellRetry, transferDefaults } from './options.ts';
import type { Retrying, TransferOptions } from './options.ts';
import { SourceError } from './source-error.ts';

/** What reading from a registry takes of what a transfer takes. */
export type RemoteOptions = Pick<
  TransferOptions,
  'retries' | 'stallTimeoutMs' | 'signal' | 'onProgress' | 'log'
>;

/**
 * One repository that is read from, with retries; what fails for good says that it is the source.
 * Every method throws {@link SourceError}.
 */
export class RemoteRepository {
  /** For messages: `docker://host/team/app`. */
  readonly description: string;
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #options: RemoteOptions;
  readonly #retrying: Retrying;
  readonly #documents = new Map<Digest, Document>();

  constructor(
    { request }: Pick<Route, 'request'>,
    named: { readonly repository: string; readonly description: string },
    options: RemoteOptions,
  ) {
    const { log = silent, stallTimeoutMs } = options;
    this.#client = new RegistryClient(request, { log, stallTimeoutMs });
    this.#repository = named.repository;
    this.description = named.description;
    this.#options = options;
    this.#retrying = retryingOf(options);
  }

  /** The manifest or index under a tag or digest, asked for once per digest. */
  document(reference: string): Promise<Document> {
    const known = isDigest(reference) && this.#documents.get(reference);
    if (known) return Promise.resolve(known);
    return this.#asked(reference, async (signal) => {
      const document = await this.#client.getManifest(this.#repository, reference, signal);
      // By digest only: a tag may be moved while we copy, and the image must be one.
      this.#documents.set(document.descriptor.digest, document);
      return document;
    });
  }

  /** What a tag or digest stands for, or `undefined` if it does not exist. */
  stat(reference: string): Promise<Descriptor | undefined> {
    return this.#asked(reference, (signal) =>
      this.#client.statManifest(this.#repository, reference, signal),
    );
  }

  /** What refers to a manifest, as the registry lists it. */
  referrers(digest: Digest): Promise<readonly Descriptor[]> {
    return this.#asked(digest, (signal) =>
      this.#client.referrers(this.#repository, digest, signal),
    );
  }

  /** The bytes as they come, not verified; a connection that is lost is opened again where it stood. */
  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void> {
    const { retries = transferDefaults.retries, onProgress } = this.#options;
    const { signal = this.#options.signal } = options;
    let { offset = 0 } = options;
    const onRetry = (error: unknown, delayMs: number): void =>
      tellRetry(onProgress, descriptor.digest, error, delayMs);
    for (let failures = 0; ; failures++) {
      try {
        for await (const chunk of await this.#open(descriptor, offset, signal)) {
          offset += chunk.byteLength;
          // It has come further, so it has all of its tries again.
          failures = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof SourceError) throw error;
        if (!isTransient(error) || failures >= retries) throw this.#failed(error);
        await pauseAfter(error, failures, { signal, onRetry });
      }
    }
  }

  async #open(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<ByteStream> {
    if (isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)) {
      return streamOf((await this.document(descriptor.digest)).bytes.subarray(offset));
    }
    const how = { offset, signal, isVerified: false };
    return this.#client.openBlob(this.#repository, descriptor, how);
  }

  async #asked<T>(
    what: string,
    attempt: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const { signal } = this.#options;
    try {
      return await this.#retrying(what, () => attempt(signal));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#failed(error);
    }
  }

  #failed(cause: unknown): SourceError {
    return new SourceError(this.description, cause);
  }
}
