import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import type { Source } from '../content/index.ts';
import { isTransient, UnreachableError } from '../errors.ts';
import type { Log } from '../log.ts';
import { verified } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { RegistryClient, Upload } from '../registry/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { retry } from '../retry.ts';
import type { TransferState } from './options.ts';
import { keepingUpload } from './upload-keeper.ts';
import type { UploadKeeper } from './upload-keeper.ts';
import { Pieces } from './upload-pieces.ts';

/** Below this a blob travels inside the request that names it: two requests instead of three. */
const inlineBytes = 64 * 1024;
/** How an upload goes on that was cut off: what is lost next time is at most such a piece. */
const firstPieceBytes = 1024 * 1024;
const maxPieceBytes = 64 * 1024 * 1024;

/** What an upload needs besides the blob. */
export interface BlobUploadOptions {
  readonly client: RegistryClient;
  readonly source: Source;
  readonly repository: string;
  readonly retries: number;
  /** Where the upload is remembered, so that a push that was killed goes on when it is run again. */
  readonly state?: TransferState | undefined;
  /** An upload that the registry began for this blob when it was asked to mount it. */
  readonly begun?: Upload | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  /** Told how many bytes of the blob have left, absolute; may repeat, never goes back. */
  readonly onBytes: (bytes: number) => void;
  readonly onRetry: (error: unknown, delayMs: number) => void;
}

/**
 * Sends one blob, and goes on from where the registry says it stands after the connection was lost,
 * or after an earlier push was.
 *
 * @returns How many bytes travelled, those that were sent twice counted twice.
 * @throws what the registry or the source said last. The partial upload is then kept for the next
 * push if that may go on with it, and given up if not.
 */
export async function uploadBlob(blob: Descriptor, options: BlobUploadOptions): Promise<number> {
  const { retries, signal, onRetry } = options;
  const keeper = await keepingUpload(blob, options);
  const sender = new BlobSender(blob, options, keeper);
  try {
    await retry(() => sender.attempt(), {
      retries,
      signal,
      onRetry,
      progress: () => sender.furthestBytes,
      isWorthwhile: (error) => isTransient(error) || sender.mayGoOn(error),
    });
    await keeper.done();
    return sender.transferredBytes;
  } catch (error) {
    // A content that is refused will be refused again; a link that broke, or a person, will not.
    await keeper.abandon(signal?.aborted === true || isTransient(error));
    throw error;
  }
}

class BlobSender {
  transferredBytes = 0;
  /** Never goes back, though a resumed upload may. */
  furthestBytes = 0;
  #isSpoiled = false;
  #hasResumed = false;
  readonly #blob: Descriptor;
  readonly #options: BlobUploadOptions;
  readonly #keeper: UploadKeeper;

  constructor(blob: Descriptor, options: BlobUploadOptions, keeper: UploadKeeper) {
    this.#blob = blob;
    this.#options = options;
    this.#keeper = keeper;
  }

  async attempt(): Promise<void> {
    const { client, repository, signal } = this.#options;
    const { size, digest } = this.#blob;
    const isAgain = this.#keeper.upload !== undefined;
    const resumed = await this.#resumed();
    if (isAgain && resumed === undefined) {
      // An upload that is gone may have been finished: only the answer was lost.
      if ((await client.statBlob(repository, digest, signal)) === size) return;
    }
    const upload = resumed ?? (await this.#keeper.begin());
    if (upload.offset === 0 && size <= inlineBytes) return await this.#sendInline(upload);
    const sent = await this.#send(upload, isAgain);
    await client.finishUpload(sent, digest, { signal });
  }

  /** Whether a refusal is about where this upload stands: the next attempt asks the registry. */
  mayGoOn(error: unknown): boolean {
    if (!(error instanceof RegistryError) || this.#keeper.upload === undefined) return false;
    // Forgotten by a registry that was restarted, or further along than it said.
    if (error.status === 404 || error.status === 416) return true;
    // What a broken connection left there may be spoilt; from the beginning, once.
    if (error.status !== 400 || !this.#hasResumed || this.#isSpoiled) return false;
    this.#isSpoiled = true;
    return true;
  }

  async #sendInline(upload: Upload): Promise<void> {
    const { client, source, signal } = this.#options;
    const { digest, size } = this.#blob;
    const content = this.#counted(verified(source.read(this.#blob, { signal }), this.#blob), 0);
    const body = await collect(content, digest, size);
    await client.finishUpload(upload, digest, { body, signal });
  }

  /** Sends what is missing: at one go, or in pieces if the link has proved to be a bad one. */
  async #send(begun: Upload, isAgain: boolean): Promise<Upload> {
    const { source, signal } = this.#options;
    const { size, digest } = this.#blob;
    if (begun.offset === size) return begun;
    this.#hasResumed ||= begun.offset > 0;
    this.#reached(begun.offset);
    const content = source.read(this.#blob, { offset: begun.offset, signal });
    // From the middle on only the registry sees the whole, and refuses another digest at the end.
    const checked = begun.offset === 0 ? verified(content, this.#blob) : content;
    const pieces = new Pieces(checked, size - begun.offset, digest);
    try {
      let upload = begun;
      let pieceBytes = isAgain ? Math.max(firstPieceBytes, begun.minChunkBytes ?? 0) : Infinity;
      while (upload.offset < size) {
        upload = await this.#sendPiece(upload, pieces, Math.min(pieceBytes, size - upload.offset));
        pieceBytes = Math.min(pieceBytes * 2, Math.max(maxPieceBytes, pieceBytes));
      }
      return upload;
    } finally {
      await pieces.close();
    }
  }

  async #sendPiece(upload: Upload, pieces: Pieces, bytes: number): Promise<Upload> {
    const { client, signal } = this.#options;
    const body = this.#counted(pieces.next(bytes), upload.offset);
    const sent = await client.appendUpload(upload, body, { size: bytes, signal });
    await this.#keeper.keep(sent);
    if (sent.offset === upload.offset + bytes) return sent;
    throw new UnreachableError(
      `Cannot go on with ${this.#blob.digest}: the registry holds ${sent.offset} of ${upload.offset + bytes} bytes`,
    );
  }

  /** Where the upload of an earlier attempt stands, or `undefined` if it must begin anew. */
  async #resumed(): Promise<Upload | undefined> {
    const { upload } = this.#keeper;
    if (!upload) return undefined;
    const { client, signal } = this.#options;
    if (this.#isSpoiled && this.#hasResumed) {
      this.#hasResumed = false;
      await client.cancelUpload(upload, signal);
    } else {
      try {
        const found = await client.statUpload(upload, signal);
        await this.#keeper.keep(found);
        if (found.offset <= this.#blob.size) return found;
      } catch (error) {
        if (!(error instanceof RegistryError) || isTransient(error)) throw error;
      }
    }
    await this.#keeper.forget();
    return undefined;
  }

  async *#counted(content: ByteStream, offset: number): AsyncGenerator<Uint8Array, void> {
    let sentBytes = offset;
    for await (const chunk of content) {
      yield chunk;
      sentBytes += chunk.byteLength;
      this.transferredBytes += chunk.byteLength;
      this.#reached(sentBytes);
    }
  }

  #reached(bytes: number): void {
    this.furthestBytes = Math.max(this.furthestBytes, bytes);
    this.#options.onBytes(this.furthestBytes);
  }
}
