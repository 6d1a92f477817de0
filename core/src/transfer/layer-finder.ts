import type { FindLayers, UnpackedLayer } from '../content/index.ts';
import { explain } from '../errors.ts';
import { compressionOf } from '../oci/index.ts';
import type { Compression, Descriptor, Digest, Target } from '../oci/index.ts';
import type { Route } from '../surrogate/index.ts';
import { mapConcurrently } from './concurrency.ts';
import type { Destination } from './destination.ts';
import { readClaims } from './layer-claims.ts';
import type { LayerClaim } from './layer-claims.ts';
import { LayerRecord } from './layer-record.ts';
import { questionsAtOnce } from './options.ts';
import type { TransferOptions } from './options.ts';
import { hasBlob, mountBlob, rethrowLasting } from './plan-mounts.ts';
import { askingOf } from './plan-questions.ts';
import type { Asking } from './plan-questions.ts';

/** What finding layers takes besides. */
export interface LayerFinderOptions extends Pick<
  TransferOptions,
  'retries' | 'stallTimeoutMs' | 'state' | 'signal' | 'onProgress' | 'log'
> {
  /** Images of the same registry that may have some of the layers. */
  readonly cacheFrom?: readonly Target[] | undefined;
  /** Only layers that are packed so; any by default. */
  readonly compression?: Compression | undefined;
  /** Mounts nothing: a layer that could be mounted counts as found. */
  readonly dryRun?: boolean | undefined;
}

/** Finds layers in a registry by their diffIds, so that they need be neither packed nor sent. */
export interface LayerFinder {
  readonly findLayers: FindLayers;
  /** The repository from which the destination has each layer that was found, by its digest. */
  readonly found: ReadonlyMap<Digest, string>;
  /** All that it was asked for: of those that it did not find, the source proves what it packs. */
  readonly asked: ReadonlySet<Digest>;
}

/** Each check reads a layer on the other side. */
const checksAtOnce = 4;

/**
 * Looks for layers under the same diffId: in what this machine remembers, in the images that the
 * tags name so far, and in `cacheFrom`.
 *
 * That an image lists a diffId is a claim, and a false one would put another content into the image.
 * It counts once this machine has packed the layer itself, or somebody has unpacked it and hashed
 * what came out: the surrogate, or over a direct way this process, which costs a fifth of packing.
 */
export function layerFinder(
  route: Route,
  destination: Destination,
  options: LayerFinderOptions = {},
): LayerFinder {
  const work = new Finder(route, destination, options);
  return { findLayers: (diffIds) => work.find(diffIds), found: work.found, asked: work.asked };
}

class Finder {
  readonly found = new Map<Digest, string>();
  readonly asked = new Set<Digest>();
  readonly #route: Route;
  readonly #destination: Destination;
  readonly #options: LayerFinderOptions;
  readonly #asking: Asking;
  readonly #record: LayerRecord;
  readonly #checked = new Map<string, Promise<boolean>>();

  constructor(route: Route, destination: Destination, options: LayerFinderOptions) {
    this.#route = route;
    this.#destination = destination;
    this.#options = options;
    this.#asking = askingOf(route.request, options);
    this.#record = new LayerRecord(options.state, options.log);
  }

  async find(diffIds: readonly Digest[]): Promise<ReadonlyMap<Digest, Descriptor>> {
    const layers = new Map<Digest, Descriptor>();
    for (const diffId of diffIds) this.asked.add(diffId);
    await mapConcurrently(diffIds, questionsAtOnce, async (diffId) => {
      const layer = await this.#recorded(diffId);
      if (layer) layers.set(diffId, layer);
    });
    const others = diffIds.filter((diffId) => !layers.has(diffId));
    if (others.length === 0) return layers;
    const claims = await readClaims(this.#images(), this.#asking);
    await mapConcurrently(others, checksAtOnce, async (diffId) => {
      const layer = await this.#claimed(claims.filter((claim) => claim.diffId === diffId));
      if (layer) layers.set(diffId, layer);
    });
    return layers;
  }

  #images(): readonly Target[] {
    const { repository, tags } = this.#destination;
    return [...tags.map((tag) => ({ repository, tag })), ...(this.#options.cacheFrom ?? [])];
  }

  async #recorded(diffId: Digest): Promise<Descriptor | undefined> {
    for (const blob of await this.#record.layersOf(diffId)) {
      const { mediaType, digest, size, repository } = blob;
      const layer = { mediaType, digest, size };
      // What this push would make itself, and not what another one here once asked for.
      if (!this.#isWanted(layer, [this.#options.compression ?? 'gzip'])) continue;
      if (await this.#isPlaced(layer, repository)) return layer;
    }
    return undefined;
  }

  async #claimed(claims: readonly LayerClaim[]): Promise<Descriptor | undefined> {
    for (const claim of claims) {
      if (!this.#isWanted(claim.layer, ['gzip', 'zstd'])) continue;
      if (!(await this.#isTrue(claim))) continue;
      if (await this.#isPlaced(claim.layer, claim.repository)) return claim.layer;
    }
    return undefined;
  }

  /** @param unlessAsked What will do if nobody asked for a certain compression. */
  #isWanted({ mediaType }: Descriptor, unlessAsked: readonly Compression[]): boolean {
    const { compression } = this.#options;
    const found = compressionOf(mediaType);
    return found !== undefined && (compression ? [compression] : unlessAsked).includes(found);
  }

  /** Makes sure that the destination has a layer, or on a dry run could have it. */
  async #isPlaced(layer: Descriptor, origin: string): Promise<boolean> {
    const { repository } = this.#destination;
    const from = await this.#placeOf(layer, [repository, origin]);
    if (from === undefined) return false;
    if (from !== repository && !this.#options.dryRun) {
      const mounted = await mountBlob({ repository, from }, layer, this.#asking);
      if (!mounted?.mounted) {
        if (mounted) await this.#asking.client.cancelUpload(mounted.upload).catch(() => {});
        return false;
      }
    }
    this.found.set(layer.digest, from);
    return true;
  }

  async #placeOf(layer: Descriptor, repositories: readonly string[]): Promise<string | undefined> {
    for (const repository of new Set(repositories)) {
      if ((await hasBlob(repository, layer, this.#asking)) === true) return repository;
    }
    return undefined;
  }

  /** Two images may claim the same: the layer is read once. */
  #isTrue(claim: LayerClaim): Promise<boolean> {
    const key = `${claim.layer.digest} ${claim.diffId}`;
    const known = this.#checked.get(key) ?? this.#check(claim);
    this.#checked.set(key, known);
    return known;
  }

  async #check({ diffId, layer, repository }: LayerClaim): Promise<boolean> {
    const { log, signal } = this.#asking;
    const known = await this.#record.layersOf(diffId);
    if (known.some((one) => one.digest === layer.digest && one.mediaType === layer.mediaType)) {
      return true;
    }
    try {
      const actual = await this.#unpacked(repository, layer);
      if (actual === undefined) return false;
      const isOfType = actual.compression === compressionOf(layer.mediaType);
      // What it is was proved, whatever it was said to be.
      if (isOfType) await this.#record.add([{ ...layer, repository, diffId: actual.diffId }]);
      if (isOfType && actual.diffId === diffId) return true;
      const proved = isOfType ? actual.diffId : `packed with ${actual.compression}`;
      log.warn(
        `${repository} has an image that says ${layer.digest} is ${layer.mediaType} and unpacks to ${diffId}, but it is ${proved}: that layer is not reused`,
      );
    } catch (error) {
      rethrowLasting(error, signal);
      log.debug(`${layer.digest} cannot be checked: ${explain(error)}`);
    }
    return false;
  }

  async #unpacked(repository: string, layer: Descriptor): Promise<UnpackedLayer | undefined> {
    const { client, retrying, log, signal } = this.#asking;
    log.debug(`Checking what ${layer.digest} of ${repository} unpacks to`);
    const { request, via } = this.#route;
    if (via !== 'direct') {
      const { askDiffId } = await import('../surrogate/ask-diff-id.ts');
      const ask = (): ReturnType<typeof askDiffId> => askDiffId(request, repository, layer, signal);
      return await retrying(layer.digest, ask);
    }
    const { diffIdOf } = await import('../content/diff-id.ts');
    // Next door. Over a longer way it would cost what it saves to bring the layer here.
    return await retrying(layer.digest, async () => {
      const packed = await client.openBlob(repository, layer, { signal });
      return await diffIdOf(packed, layer.size, `layer ${layer.digest}`);
    });
  }
}
