import { holdsOneImage, openSink, parseLocation } from '../content/index.ts';
import type { OpenSinkOptions, Source } from '../content/index.ts';
import type { Log } from '../log.ts';
import { hostPlatform } from '../oci/index.ts';
import { requireRepository } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import type { Route } from '../surrogate/index.ts';
import {
  beginTransfer,
  layerFinder,
  openImage,
  parseDestination,
  parseImageName,
  pull,
  push,
} from '../transfer/index.ts';
import type {
  OpenImageOptions,
  PullOptions,
  PushOptions,
  TransferOptions,
  TransferResult,
} from '../transfer/index.ts';

/** What the registry itself says. */
type Hosts = 'pushHost' | 'pullHost';

/** How {@link OpenedRegistry.push} reads an image, and sends it. */
export interface PushImageOptions
  extends Omit<OpenImageOptions, 'findLayers'>, Omit<PushOptions, Hosts | 'layers'> {
  /** Further tags of the same repository. */
  readonly tags?: readonly string[] | undefined;
}

/** How {@link OpenedRegistry.pull} fetches an image, and writes it. */
export interface PullImageOptions
  extends Omit<PullOptions, Hosts>, Pick<OpenSinkOptions, 'stdout' | 'temporaryDirectory'> {}

/** A registry in a cluster, and an open way to it. */
export class OpenedRegistry {
  /** The `Registry` as it was when it was opened. */
  readonly resource: Registry;
  /** What `listImages`, `deleteImage` and `copy` work on. */
  readonly route: Route;
  readonly #log: Log | undefined;

  constructor(resource: Registry, route: Route, log: Log | undefined) {
    this.resource = resource;
    this.route = route;
    this.#log = log;
  }

  /**
   * Pushes an image; what the registry has already does not travel.
   *
   * @param from As on the command line: `app.tar`, `oci:DIR`, `docker://HOST/NAME`, any file or folder;
   *   or a source that is open, such as an image that was just built, which stays open.
   * @param to `team/app:1.2.3`
   * @returns Only after the registry has confirmed the digest of every tag.
   * @throws {InputError} if `from` or `to` makes no sense, or the registry has no such repositories.
   * @throws {RegistryError} if the registry refuses, after the retries.
   */
  async push(
    from: string | Source,
    to: string,
    options: PushImageOptions = {},
  ): Promise<TransferResult> {
    const { tags, ...given } = options;
    const destination = parseDestination(to, tags);
    requireRepository(this.resource, destination.repository, 'write');
    const settings = beginTransfer({ ...given, ...this.#common(given) });
    if (typeof from !== 'string') return await push(this.route, from, destination, settings);
    const layers = layerFinder(this.route, destination, settings);
    const source = await openImage(from, { ...settings, findLayers: layers.findLayers });
    try {
      return await push(this.route, source, destination, { ...settings, layers });
    } finally {
      await source.close();
    }
  }

  /**
   * Pulls an image; every byte is verified, and nothing is visible before all of it is.
   *
   * @param image `team/app:1.2.3`, `team/app@sha256:…`
   * @param to As on the command line: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`,
   *   `docker-daemon:NAME`, `containers-storage:NAME`; what can hold one image takes that for this
   *   machine's platform.
   * @throws {NotFoundError} if the registry has no such image.
   */
  async pull(image: string, to: string, options: PullImageOptions = {}): Promise<TransferResult> {
    const target = parseImageName(image);
    const { stdout, temporaryDirectory, signal, ...given } = options;
    const sink = await openSink(to, {
      ...(stdout ? { stdout } : {}),
      ...(temporaryDirectory === undefined ? {} : { temporaryDirectory }),
      signal,
    });
    const onePlatform = holdsOneImage(parseLocation(to).kind) ? hostPlatform() : undefined;
    const settings = { onePlatform, ...given, signal, ...this.#common(options) };
    return await pull(this.route, target, sink, settings);
  }

  /** Closes the way to the registry; the cluster stays open. */
  async close(): Promise<void> {
    await this.route.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #common({ log = this.#log }: { readonly log?: Log }): Pick<TransferOptions, Hosts | 'log'> {
    const { pushHost, pullHost } = this.resource.status ?? {};
    return { pushHost, pullHost, ...(log ? { log } : {}) };
  }
}
