import type { ByteStream } from '../bytes.ts';
import type { Descriptor, Digest } from '../oci/index.ts';

/** What reading takes besides the descriptor. */
export interface ReadOptions {
  /** Skips so many bytes: where an upload goes on. */
  readonly offset?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Answers which of the layers that a source holds unpacked need not be packed, because the registry
 * has them already: by `diffId`, the descriptor under which each is there. Asked once, before
 * anything is packed.
 */
export type FindLayers = (diffIds: readonly Digest[]) => Promise<ReadonlyMap<Digest, Descriptor>>;

/** An image, or an index of images, on this side. Everything below `root` can be read. */
export interface Source {
  /** The manifest or index that is named by the tags. */
  readonly root: Descriptor;
  /** For messages: `docker-archive:app.tar`. */
  readonly description: string;
  /** Names that the source itself carries, as they are written there; often none. */
  readonly names: readonly string[];
  /**
   * Reads a manifest, config or layer, any number of times and at the same time as others.
   *
   * The bytes are as found: whoever needs them to be true wraps them in `verified`.
   *
   * @throws {ContentNotFoundError} if the source does not hold it.
   */
  read(descriptor: Descriptor, options?: ReadOptions): ByteStream;
  /** Lets go of files; temporary ones are removed. */
  close(): Promise<void>;
}

/** Where a pulled image goes. Nothing is visible at its place before `commit`. */
export interface Sink {
  /** For messages: `oci:DIR`. */
  readonly description: string;
  /** Whether it holds this content already, so that it need not travel. */
  has(descriptor: Descriptor): Promise<boolean>;
  /**
   * Takes a blob or manifest to its end; the stream is already verified. Several at a time.
   */
  write(descriptor: Descriptor, content: ByteStream): Promise<void>;
  /** Makes everything written visible under `root`, and ends the sink. @param name `repository[:tag]` */
  commit(root: Descriptor, name?: string): Promise<void>;
  /** Forgets what was written, and ends the sink. */
  abort(): Promise<void>;
}
