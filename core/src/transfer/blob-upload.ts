import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import type { Source } from '../content/index.ts';
import { isTransient, UnreachableError } from '../errors.ts';
import { verified } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { RegistryError } from '../registry/index.ts';
import type { RegistryClient, Upload } from '../registry/index.ts';
import { retry } from '../retry.ts';

/** Below this a blob travels inside the request that names it: two requests instead of three. */
const inlineBytes = 64 * 1024;

/** What an upload needs besides the blob. */
export interface BlobUploadOptions {
  readonly client: RegistryClient;
  readonly source: Source;
  readonly repository: string;
  readonly retries: number;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the blob have left, absolute; may repeat, never goes back. */
  readonly onBytes: (bytes: number) => void;
  readonly onRetry: (error: unknown, delayMs: number) => void;
}

/**
 * Sends one blob, and goes on from where the registry says it stands after the connection was lost.
 *
 * @returns How many bytes travelled, those that were sent twice counted twice.
 * @throws what the registry or the source said last; the partial upload is then given up.
 */
export async function uploadBlob(blob: Descriptor, options: BlobUploadOptions): Promise<number> {
  const { client, retries, signal, onRetry } = options;
  const sender = new BlobSender(blob, options);
  try {
    await retry(() => sender.attempt(), {
      retries,
      signal,
      onRetry,
      progress: () => sender.furthestBytes,
      isWorthwhile: (error) => isTransient(error) || sender.mayGoOn(error),
    });
    return sender.transferredBytes;
  } catch (error) {
    // Nothing is left behind; if the registry cannot be reached, it forgets the upload by itself.
    if (sender.upload) {
      await client.cancelUpload(sender.upload, AbortSignal.timeout(5000)).catch(() => {});
    }
    throw error;
  }
}

class BlobSender {
  upload: Upload | undefined;
  transferredBytes = 0;
  /** Never goes back, though a resumed upload may. */
  furthestBytes = 0;
  #isSpoiled = false;
  #hasResumed = false;
  readonly #blob: Descriptor;
  readonly #options: BlobUploadOptions;

  constructor(blob: Descriptor, options: BlobUploadOptions) {
    this.#blob = blob;
    this.#options = options;
  }

  async attempt(): Promise<void> {
    const { client, repository, source, signal } = this.#options;
    const { size, digest } = this.#blob;
    const isAgain = this.upload !== undefined;
    this.upload = await this.#resumed();
    if (isAgain && this.upload === undefined) {
      // An upload that is gone may have been finished: only the answer was lost.
      if ((await client.statBlob(repository, digest, signal)) === size) return;
    }
    this.upload ??= await client.startUpload(repository, signal);
    const { offset } = this.upload;
    if (offset === 0 && size <= inlineBytes) {
      const content = this.#counted(verified(source.read(this.#blob, { signal }), this.#blob), 0);
      const body = await collect(content, digest, size);
      await client.finishUpload(this.upload, digest, { body, signal });
      return;
    }
    if (offset < size) {
      const content = source.read(this.#blob, { offset, signal });
      // From the middle on only the registry sees the whole, and refuses another digest at the end.
      const body = offset === 0 ? verified(content, this.#blob) : content;
      this.#hasResumed ||= offset > 0;
      this.upload = await client.appendUpload(this.upload, this.#counted(body, offset), {
        size: size - offset,
        signal,
      });
    }
    if (this.upload.offset !== size) {
      throw new UnreachableError(
        `Cannot finish ${digest}: the registry holds ${this.upload.offset} of ${size} bytes`,
      );
    }
    await client.finishUpload(this.upload, digest, { signal });
  }

  /** Whether a refusal is about where this upload stands: the next attempt asks the registry. */
  mayGoOn(error: unknown): boolean {
    if (!(error instanceof RegistryError) || this.upload === undefined) return false;
    // Forgotten by a registry that was restarted, or further along than it said.
    if (error.status === 404 || error.status === 416) return true;
    // What a broken connection left there may be spoilt; from the beginning, once.
    if (error.status !== 400 || !this.#hasResumed || this.#isSpoiled) return false;
    this.#isSpoiled = true;
    return true;
  }

  /** Where the upload of an earlier attempt stands, or `undefined` if it must begin anew. */
  async #resumed(): Promise<Upload | undefined> {
    if (!this.upload) return undefined;
    const { client, signal } = this.#options;
    if (this.#isSpoiled && this.#hasResumed) {
      this.#hasResumed = false;
      await client.cancelUpload(this.upload, signal);
      return undefined;
    }
    try {
      const upload = await client.statUpload(this.upload, signal);
      return upload.offset <= this.#blob.size ? upload : undefined;
    } catch (error) {
      if (error instanceof RegistryError && !isTransient(error)) return undefined;
      throw error;
    }
  }

  async *#counted(content: ByteStream, offset: number): AsyncGenerator<Uint8Array, void> {
    let sentBytes = offset;
    for await (const chunk of content) {
      yield chunk;
      sentBytes += chunk.byteLength;
      this.transferredBytes += chunk.byteLength;
      this.furthestBytes = Math.max(this.furthestBytes, sentBytes);
      this.#options.onBytes(this.furthestBytes);
    }
  }
}
