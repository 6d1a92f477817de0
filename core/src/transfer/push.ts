import type { Source } from '../content/index.ts';
import { silent } from '../log.ts';
import { ContentMismatchError } from '../oci/index.ts';
import type { Descriptor, Document } from '../oci/index.ts';
import { RegistryClient } from '../registry/index.ts';
import type { Route } from '../surrogate/index.ts';
import { uploadBlob } from './blob-upload.ts';
import { mapConcurrently } from './concurrency.ts';
import { referencesOf } from './destination.ts';
import type { Destination } from './destination.ts';
import { platformsOf, readGraph, sizeOf } from './graph.ts';
import type { ImageGraph } from './graph.ts';
import { questionsAtOnce, retryingOf, tellRetry, transferDefaults } from './options.ts';
import type { Retrying, TransferOptions } from './options.ts';
import type { TransferResult } from './result.ts';

/** What a push takes besides. */
export interface PushOptions extends TransferOptions {
  /** Asks what is missing, and sends nothing. */
  readonly dryRun?: boolean;
  /** Repositories of the same registry that may hold what is missing: it is mounted from there. */
  readonly mountFrom?: readonly string[];
}

/**
 * Puts an image where its tags say: what is missing travels, manifests go last and tags at the very
 * end, so that an incomplete push is not visible.
 *
 * @param source Stays open; the caller closes it.
 * @returns Only after the registry has confirmed the digest of every tag.
 * @throws {RegistryError} if the registry refuses, after the retries.
 * @throws {ContentMismatchError} if the source is not what its descriptors say.
 */
export async function push(
  route: Route,
  source: Source,
  destination: Destination,
  options: PushOptions = {},
): Promise<TransferResult> {
  const startedMs = performance.now();
  const work = new Push(route, source, destination, options);
  const graph = await readGraph(source.root, (descriptor) => work.read(descriptor));
  const platforms = await platformsOf(graph, (descriptor) => work.read(descriptor));
  await work.ping();
  const missing = await work.missingOf(graph.blobs);
  work.plan(graph, missing);
  if (!options.dryRun) {
    await work.sendBlobs(missing);
    await work.sendDocuments(graph);
  }
  const total = sizeOf(graph);
  const missingBytes = missing.reduce((sum, { size }) => sum + size, 0);
  const { digest, mediaType } = graph.root.descriptor;
  return {
    action: 'push',
    repository: destination.repository,
    tags: [...destination.tags],
    digest,
    mediaType,
    platforms,
    pushRefs: referencesOf(options.pushHost, destination.repository, destination.tags, digest),
    pullRefs: referencesOf(options.pullHost, destination.repository, destination.tags, digest),
    bytes: {
      total,
      transferred: options.dryRun ? missingBytes : work.transferredBytes,
      reused: graph.blobs.reduce((sum, { size }) => sum + size, 0) - missingBytes,
    },
    blobs: { transferred: missing.length, reused: graph.blobs.length - missing.length },
    route: { via: route.via, reason: route.reason },
    dryRun: options.dryRun ?? false,
    durationMs: Math.round(performance.now() - startedMs),
  };
}

class Push {
  transferredBytes = 0;
  readonly #client: RegistryClient;
  readonly #source: Source;
  readonly #destination: Destination;
  readonly #retrying: Retrying;
  readonly #options: Required<
    Pick<TransferOptions, 'retries' | 'concurrency' | 'onProgress' | 'log'>
  > &
    Pick<TransferOptions, 'signal'>;

  constructor(route: Route, source: Source, destination: Destination, options: TransferOptions) {
    this.#options = { ...transferDefaults, onProgress: () => {}, log: silent, ...options };
    this.#client = new RegistryClient(route.request, { log: this.#options.log });
    this.#source = source;
    this.#retrying = retryingOf(options);
    this.#destination = destination;
  }

  read(descriptor: Descriptor): ReturnType<Source['read']> {
    return this.#source.read(descriptor, { signal: this.#options.signal });
  }

  /** One question alone, so that a way that is not open is said once and not per blob. */
  async ping(): Promise<void> {
    await this.#retrying('the registry', () => this.#client.ping(this.#options.signal));
  }

  async missingOf(blobs: readonly Descriptor[]): Promise<Descriptor[]> {
    const { repository } = this.#destination;
    const { signal } = this.#options;
    const sizes = await mapConcurrently(blobs, questionsAtOnce, ({ digest }) =>
      this.#retrying(digest, () => this.#client.statBlob(repository, digest, signal)),
    );
    for (const [index, { digest, size }] of blobs.entries()) {
      const found = sizes[index];
      if (found !== undefined && found !== size) {
        throw new ContentMismatchError(
          `Cannot reuse ${digest}: the registry has ${found} bytes of it, the image says ${size}`,
        );
      }
    }
    return blobs.filter((_, index) => sizes[index] === undefined);
  }

  plan(graph: ImageGraph, missing: readonly Descriptor[]): void {
    const { onProgress } = this.#options;
    const totalBytes = missing.reduce((sum, { size }) => sum + size, 0);
    onProgress({ type: 'planned', items: graph.blobs, totalBytes });
    for (const descriptor of graph.blobs) {
      if (!missing.includes(descriptor)) {
        onProgress({ type: 'finished', descriptor, outcome: 'present' });
      }
    }
  }

  async sendBlobs(blobs: readonly Descriptor[]): Promise<void> {
    const { concurrency, retries, onProgress, signal } = this.#options;
    // One that fails for good ends the others: they would travel for nothing.
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const sending = mapConcurrently(blobs, concurrency, async (descriptor) => {
      try {
        // Not `+= await`: that reads the sum before it waits, and others add to it meanwhile.
        const sent = await uploadBlob(descriptor, {
          client: this.#client,
          source: this.#source,
          repository: this.#destination.repository,
          retries,
          signal: either,
          onBytes: (bytes) => onProgress({ type: 'advanced', descriptor, bytes }),
          onRetry: (error, delayMs) => tellRetry(onProgress, descriptor.digest, error, delayMs),
        });
        this.transferredBytes += sent;
      } catch (error) {
        failed.abort(error);
        throw error;
      }
      onProgress({ type: 'finished', descriptor, outcome: 'sent' });
    });
    await sending.catch((error: unknown) => {
      // Whichever is heard of first: the cause is the one that failed, not one that it ended.
      throw failed.signal.reason ?? error;
    });
  }

  /** Children first, then the root under each of its tags, each confirmed by the registry. */
  async sendDocuments({ documents, root }: ImageGraph): Promise<void> {
    const { repository, tags } = this.#destination;
    for (const document of documents) {
      if (document !== root) await this.#sendDocument(document, document.descriptor.digest);
    }
    for (const reference of tags.length > 0 ? tags : [root.descriptor.digest]) {
      await this.#sendDocument(root, reference);
      await this.#confirm(repository, reference, root);
    }
  }

  async #sendDocument(document: Document, reference: string): Promise<void> {
    const { repository } = this.#destination;
    await this.#retrying(reference, () =>
      this.#client.putManifest(repository, reference, document, this.#options.signal),
    );
    this.transferredBytes += document.bytes.byteLength;
  }

  async #confirm(repository: string, reference: string, { descriptor }: Document): Promise<void> {
    const stored = await this.#retrying(reference, () =>
      this.#client.statManifest(repository, reference, this.#options.signal),
    );
    if (stored?.digest !== descriptor.digest) {
      throw new ContentMismatchError(
        `Cannot confirm ${repository}:${reference}: the registry has ${stored?.digest ?? 'nothing'} there; want ${descriptor.digest}. Was it pushed by somebody else at the same moment?`,
      );
    }
  }
}
