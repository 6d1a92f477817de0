import type { ByteStream } from '../bytes.ts';
import { isTransient, UnreachableError } from '../errors.ts';
import type { Digest } from '../oci/index.ts';
import type { RegistryClient, Upload } from '../registry/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { retry } from '../retry.ts';
import type { Patience } from './patient.ts';
import type { PieceMemory } from './piece-memory.ts';
import { PieceSource } from './piece-source.ts';

/** What the uploads of a bridge share. */
export interface BridgeUploadOptions {
  readonly client: RegistryClient;
  readonly memory: PieceMemory;
  /** How the registry is tried again; its signal is aborted when the bridge ends. */
  readonly patience: Patience;
}

/** Bytes that can be read again. */
interface Kept {
  readonly sizeBytes: number;
  from(offset: number): ByteStream | Uint8Array;
}

/**
 * One upload, with a tool at one end and the registry at the other: what the tool has sent is kept
 * until the registry has answered for it, so that a route may break in between.
 */
export class BridgeUpload {
  readonly repository: string;
  /** When a tool last did something with it, of `performance.now()`. */
  usedAtMs = performance.now();
  #upload: Upload;
  #turns = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #options: BridgeUploadOptions;

  constructor(upload: Upload, options: BridgeUploadOptions) {
    this.repository = upload.repository;
    this.#upload = upload;
    this.#options = options;
  }

  /** How many bytes the registry has answered for. */
  get offset(): number {
    return this.#upload.offset;
  }

  /** Whether no tool is at it. */
  get isIdle(): boolean {
    return this.#turns === 0;
  }

  /** Smaller parts the registry does not take, but for the last. */
  get minChunkBytes(): number | undefined {
    return this.#upload.minChunkBytes;
  }

  /** Runs one thing at a time: a tool that lost its connection may be back before we know. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#turns++;
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#turns--;
      this.usedAtMs = performance.now();
    }
  }

  /** Sends what a tool sends, piece by piece; resolves when the registry has it all. */
  async append(body: ByteStream): Promise<void> {
    const { memory } = this.#options;
    const source = new PieceSource(body, memory, this.minChunkBytes);
    let underWay = Promise.resolve();
    try {
      for (let piece = await source.next(); piece; piece = await source.next()) {
        const full = piece;
        await underWay.catch((error: unknown) => {
          full.release();
          throw error;
        });
        underWay = this.#deliver(full).finally(() => full.release());
        underWay.catch(() => {}); // told to who waits for it next
      }
    } finally {
      await source.close();
      // Also when the tool has hung up: it may come back, and ask how far it came.
      await underWay;
    }
  }

  /**
   * Makes a blob of what was sent.
   *
   * @param tail Its last bytes, few enough to travel with the name.
   * @returns The digest under which the registry keeps it.
   */
  async finish(digest: Digest, tail: Uint8Array): Promise<Digest> {
    const { client, patience } = this.#options;
    const kept = { sizeBytes: tail.byteLength, from: (at: number) => tail.subarray(at) };
    const start = this.offset;
    const { signal } = patience;
    const attempt = async (tries: number): Promise<Digest> => {
      if (tries === 0) {
        const body = tail.byteLength > 0 ? { body: tail } : {};
        return await client.finishUpload(this.#upload, digest, { ...body, signal });
      }
      // It may have been finished: only the answer was lost.
      if ((await client.statBlob(this.repository, digest, signal)) !== undefined) return digest;
      await this.#attempt(kept, start, true);
      return await client.finishUpload(this.#upload, digest, { signal });
    };
    return await retry(attempt, patience);
  }

  /** Lets the registry forget it. */
  async cancel(signal: AbortSignal): Promise<void> {
    await this.#options.client.cancelUpload(this.#upload, signal);
  }

  async #deliver(kept: Kept): Promise<void> {
    const start = this.offset;
    await retry((tries) => this.#attempt(kept, start, tries > 0), {
      ...this.#options.patience,
      progress: () => this.offset,
      // 416: it is further along than it said.
      isWorthwhile: (error) =>
        isTransient(error) || (error instanceof RegistryError && error.status === 416),
    });
  }

  /** Sends what the registry has not got of bytes that begin at `start`. */
  async #attempt(kept: Kept, start: number, isAgain: boolean): Promise<void> {
    const { client, patience } = this.#options;
    const { signal } = patience;
    if (isAgain) this.#upload = await client.statUpload(this.#upload, signal);
    const end = start + kept.sizeBytes;
    const at = this.offset;
    if (at === end) return;
    if (at < start || at > end) throw forgotten(at, start);
    const body = kept.from(at - start);
    this.#upload = await client.appendUpload(this.#upload, body, { size: end - at, signal });
    if (this.offset === end) return;
    throw new UnreachableError(
      `Cannot go on with an upload: the registry holds ${this.offset} of ${end} bytes`,
    );
  }
}

/** A registry may lose what it has answered for, for one when it is restarted; we have not kept that. */
function forgotten(at: number, start: number): RegistryError {
  const message = `the registry holds ${at} bytes of the upload, and had answered for ${start}; push again`;
  return new RegistryError('An upload', 404, [{ code: 'BLOB_UPLOAD_UNKNOWN', message }]);
}
