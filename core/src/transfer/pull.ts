import { streamOf } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import type { Sink } from '../content/index.ts';
import { isTransient, NotFoundError } from '../errors.ts';
import { silent } from '../log.ts';
import {
  describePlatform,
  describeReference,
  isIndexType,
  isManifestType,
  isPlatformMatch,
  parsePlatform,
  verified,
} from '../oci/index.ts';
import type { Descriptor, Document, Platform, Target } from '../oci/index.ts';
import { RegistryClient } from '../registry/client.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { pauseAfter } from '../retry.ts';
import type { Route } from '../surrogate/index.ts';
import { mapConcurrently } from './concurrency.ts';
import { referencesOf } from './destination.ts';
import { platformsOf, readGraph, sizeOf } from './graph.ts';
import { beginTransfer, retryingOf, tellRetry, transferDefaults } from './options.ts';
import type { Course, Retrying, TransferOptions } from './options.ts';
import { paceOf } from './result.ts';
import type { PlatformDigest, TransferResult } from './result.ts';

/** What a pull takes besides. */
export interface PullOptions extends TransferOptions {
  /** Takes the image for this platform, and no other; without it, the index with all of them. */
  readonly platform?: Platform | undefined;
  /** Takes one image out of an index where only one can go; a single image may be for any. */
  readonly onePlatform?: Platform | undefined;
}

/**
 * Brings an image here; every byte is verified, and nothing is visible before all of it is.
 *
 * @param sink Committed on success, aborted on failure.
 * @throws {NotFoundError} if the registry has no such image, or the index none for the platform.
 */
export async function pull(
  route: Route,
  target: Target,
  sink: Sink,
  options: PullOptions = {},
): Promise<TransferResult> {
  const begun = beginTransfer(options);
  try {
    return await pullTo(sink, new Pull(route, target, begun), begun);
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function pullTo(
  sink: Sink,
  work: Pull,
  options: PullOptions & { readonly course: Course },
): Promise<TransferResult> {
  const { target, route } = work;
  const root = await work.root();
  const read = (descriptor: Descriptor): ByteStream => work.read(descriptor);
  const graph = await readGraph(root, read);
  const platforms = await platformsOf(graph, read);
  work.refuseOthers(graph.root.content.kind === 'manifest' ? platforms : []);
  const present = await work.receiveBlobs(graph.blobs, sink);
  for (const { descriptor, bytes } of graph.documents)
    await sink.write(descriptor, streamOf(bytes));
  const name = describeReference({ ...target, digest: undefined });
  await sink.commit(root, target.tag ? name : undefined);
  const tags = target.tag ? [target.tag] : [];
  const presentBytes = present.reduce((sum, { size }) => sum + size, 0);
  return {
    action: 'pull',
    repository: target.repository,
    tags,
    digest: root.digest,
    mediaType: root.mediaType,
    platforms,
    pushRefs: referencesOf(options.pushHost, target.repository, tags, root.digest),
    pullRefs: referencesOf(options.pullHost, target.repository, tags, root.digest),
    bytes: {
      total: sizeOf(graph),
      read: work.transferredBytes,
      transferred: work.transferredBytes,
      reused: presentBytes,
    },
    blobs: {
      transferred: graph.blobs.length - present.length,
      mounted: 0,
      reused: present.length,
    },
    route: { via: route.via, reason: route.reason },
    dryRun: false,
    ...paceOf(options.course, work.transferredBytes),
  };
}

class Pull {
  transferredBytes = 0;
  readonly route: Route;
  readonly target: Target;
  readonly #client: RegistryClient;
  readonly #retrying: Retrying;
  readonly #documents = new Map<string, Document>();
  readonly #options: PullOptions &
    Required<Pick<PullOptions, 'retries' | 'concurrency' | 'onProgress'>>;

  constructor(route: Route, target: Target, options: PullOptions) {
    this.route = route;
    this.target = target.tag || target.digest ? target : { ...target, tag: 'latest' };
    this.#options = { ...transferDefaults, onProgress: () => {}, ...options };
    this.#retrying = retryingOf(options);
    const { log = silent, stallTimeoutMs } = options;
    this.#client = new RegistryClient(route.request, { log, stallTimeoutMs });
  }

  /** The manifest or index that is asked for, or the one image of it for the platform. */
  async root(): Promise<Descriptor> {
    const { tag, digest } = this.target;
    const document = await this.#document(digest ?? tag ?? 'latest').catch((error: unknown) => {
      throw error instanceof RegistryError && error.isNotFound ? this.#nothingThere(error) : error;
    });
    const { onePlatform, platform = onePlatform } = this.#options;
    return platform ? this.#chosen(document, platform) : document.descriptor;
  }

  async *read(
    descriptor: Descriptor,
    signal = this.#options.signal,
  ): AsyncGenerator<Uint8Array, void> {
    yield* verified(this.#resumable(descriptor, signal), descriptor);
  }

  /** @throws {NotFoundError} if a platform was asked for, and the one image there is for another. */
  refuseOthers(found: readonly PlatformDigest[]): void {
    const { platform } = this.#options;
    const [only] = found;
    if (!platform || found.length !== 1 || !only) return;
    if (!isPlatformMatch(parsePlatform(only.platform), platform)) {
      throw this.#noSuchPlatform(platform, [only.platform]);
    }
  }

  /** @returns What the sink had already. */
  async receiveBlobs(blobs: readonly Descriptor[], sink: Sink): Promise<Descriptor[]> {
    const { onProgress, concurrency, signal } = this.#options;
    const present: Descriptor[] = [];
    // One that fails for good ends the others: they would travel for nothing.
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
    onProgress({ type: 'planned', items: blobs, totalBytes });
    const receiving = mapConcurrently(blobs, concurrency, async (descriptor) => {
      if (await sink.has(descriptor)) {
        present.push(descriptor);
        onProgress({ type: 'finished', descriptor, outcome: 'present' });
        return;
      }
      await sink.write(descriptor, this.#counted(descriptor, either)).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      });
      onProgress({ type: 'finished', descriptor, outcome: 'received' });
    });
    await receiving.catch((error: unknown) => {
      throw failed.signal.reason ?? error;
    });
    return present;
  }

  async *#counted(descriptor: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    let bytes = 0;
    for await (const chunk of this.read(descriptor, signal)) {
      bytes += chunk.byteLength;
      this.#options.onProgress({ type: 'advanced', descriptor, bytes });
      yield chunk;
    }
  }

  /** The bytes of a blob or manifest; a connection that is lost is opened again where it stood. */
  async *#resumable(
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void> {
    const { retries, onProgress } = this.#options;
    const onRetry = (error: unknown, delayMs: number): void =>
      tellRetry(onProgress, descriptor.digest, error, delayMs);
    let offset = 0;
    for (let failures = 0; ; failures++) {
      try {
        for await (const chunk of await this.#open(descriptor, offset, signal)) {
          offset += chunk.byteLength;
          this.transferredBytes += chunk.byteLength;
          // It has come further, so it has all of its tries again.
          failures = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (!isTransient(error) || failures >= retries) throw error;
        await pauseAfter(error, failures, { signal, onRetry });
      }
    }
  }

  async #open(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<ByteStream> {
    const { repository } = this.target;
    if (isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)) {
      return streamOf((await this.#document(descriptor.digest)).bytes.subarray(offset));
    }
    return this.#client.openBlob(repository, descriptor, { offset, signal, isVerified: false });
  }

  async #document(reference: string): Promise<Document> {
    const known = this.#documents.get(reference);
    if (known) return known;
    const document = await this.#retrying(reference, () =>
      this.#client.getManifest(this.target.repository, reference, this.#options.signal),
    );
    // By digest only: a tag may be moved while we pull, and the image must be one.
    this.#documents.set(document.descriptor.digest, document);
    return document;
  }

  #nothingThere(cause: RegistryError): NotFoundError {
    return new NotFoundError(
      `Cannot pull ${describeReference(this.target)}: the registry has no such image; \`reposure image list\` shows what it has`,
      { cause },
    );
  }

  #chosen(document: Document, platform: Platform): Descriptor {
    if (document.content.kind === 'manifest') return document.descriptor;
    const { manifests } = document.content.index;
    const found = manifests.find(
      (entry) => entry.platform && isPlatformMatch(entry.platform, platform),
    );
    if (found) return found;
    const offered = manifests.flatMap((entry) =>
      entry.platform ? [describePlatform(entry.platform)] : [],
    );
    throw this.#noSuchPlatform(platform, offered);
  }

  #noSuchPlatform(wanted: Platform, offered: readonly string[]): NotFoundError {
    return new NotFoundError(
      `Cannot pull ${describeReference(this.target)} for ${describePlatform(wanted)}: it has ${offered.join(', ') || 'no platforms'}`,
    );
  }
}
