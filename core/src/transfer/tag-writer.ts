import { silent } from '../log.ts';
import type { Digest, Document } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Route } from '../surrogate/index.ts';
import { retryingOf } from './options.ts';
import type { Retrying, TransferOptions } from './options.ts';
import { refuseUnconfirmed } from './unconfirmed.ts';

/** Gives tags to a manifest that a repository has already, with retries. */
export class TagWriter {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #signal: AbortSignal | undefined;
  readonly #retrying: Retrying;

  constructor({ request }: Pick<Route, 'request'>, repository: string, options: TransferOptions) {
    const { log = silent, stallTimeoutMs } = options;
    this.#client = new RegistryClient(request, { log, stallTimeoutMs });
    this.#repository = repository;
    this.#signal = options.signal;
    this.#retrying = retryingOf(options);
  }

  /** What a tag names, or `undefined` if there is no such tag. */
  async digestOf(tag: string): Promise<Digest | undefined> {
    const found = await this.#retrying(tag, () =>
      this.#client.statManifest(this.#repository, tag, this.#signal),
    );
    return found?.digest;
  }

  /**
   * Lets a tag name a manifest; one that does so already is left alone, as it may be immutable.
   *
   * @throws {ContentMismatchError} if the registry does not confirm it.
   */
  async put(tag: string, document: Document): Promise<void> {
    const { digest } = document.descriptor;
    if ((await this.digestOf(tag)) === digest) return;
    await this.#retrying(tag, () =>
      this.#client.putManifest(this.#repository, tag, document, this.#signal),
    );
    refuseUnconfirmed(`${this.#repository}:${tag}`, await this.digestOf(tag), digest);
  }
}
