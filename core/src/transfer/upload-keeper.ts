import { explain } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { Descriptor } from '../oci/index.ts';
import type { RegistryClient, Upload } from '../registry/index.ts';
import type { TransferState } from './options.ts';
import { claimUpload } from './upload-state.ts';
import type { UploadRecord } from './upload-state.ts';

/** A smaller blob is sent again sooner than it is found again. */
const minKeptBytes = 1024 * 1024;
const cancelTimeMs = 5000;

/** What keeping an upload takes. */
export interface KeepingOptions {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly state?: TransferState | undefined;
  readonly begun?: Upload | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
}

/** Finds the upload that an earlier push of this blob left, if there is one. */
export async function keepingUpload(
  { digest, size }: Descriptor,
  options: KeepingOptions,
): Promise<UploadKeeper> {
  const { state, repository, log = silent } = options;
  if (!state || size < minKeptBytes) return new UploadKeeper(options, undefined);
  try {
    return new UploadKeeper(options, await claimUpload(state, repository, digest));
  } catch (error) {
    log.debug(`cannot remember the upload of ${digest}: ${explain(error)}`);
    return new UploadKeeper(options, undefined);
  }
}

/** The one upload of a blob: begun, remembered, and at the end finished, left or given up. */
export class UploadKeeper {
  /** Where the blob is being uploaded to, once that has begun. */
  upload: Upload | undefined;
  #begun: Upload | undefined;
  readonly #options: KeepingOptions;
  readonly #record: UploadRecord | undefined;

  constructor(options: KeepingOptions, record: UploadRecord | undefined) {
    this.#options = options;
    this.#record = record;
    this.#begun = options.begun;
    this.upload = record?.left;
  }

  /** Begins an upload, or takes the one that the registry has begun already. */
  async begin(): Promise<Upload> {
    const { client, repository, signal } = this.#options;
    const upload = this.#begun ?? (await client.startUpload(repository, signal));
    this.#begun = undefined;
    await this.keep(upload);
    return upload;
  }

  /** Remembers where the upload stands. */
  async keep(upload: Upload): Promise<void> {
    this.upload = upload;
    await this.#noting(() => this.#record?.save(upload));
  }

  /** The upload is gone. */
  async forget(): Promise<void> {
    this.upload = undefined;
    await this.#noting(() => this.#record?.forget());
  }

  /** The upload has become a blob. */
  async done(): Promise<void> {
    await this.forget();
    await this.#end();
  }

  /** Leaves the upload to the next push if there is a record of it, and cancels it if not. */
  async abandon(isWorthKeeping: boolean): Promise<void> {
    if (!this.#record || !isWorthKeeping) {
      await this.#cancel(this.upload);
      await this.forget();
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#noting(() => this.#record?.release());
    await this.#cancel(this.#begun);
  }

  // If the registry cannot be reached, it forgets the upload by itself.
  async #cancel(upload: Upload | undefined): Promise<void> {
    const { client } = this.#options;
    if (upload)
      await client.cancelUpload(upload, AbortSignal.timeout(cancelTimeMs)).catch(() => {});
  }

  /** What is remembered is a help, and no push fails for want of it. */
  async #noting(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log?.debug(`cannot remember an upload: ${explain(error)}`);
    }
  }
}
