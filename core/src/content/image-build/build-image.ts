import { UnsupportedError } from '../../errors.ts';
import { compressionOf, digestOf, documentOf, layerTypes, mediaTypes } from '../../oci/index.ts';
import type { Descriptor, Digest, Document, Platform } from '../../oci/index.ts';
import { assembledSource, manifestOf, openerOf } from '../assembled-source.ts';
import type { Opener } from '../assembled-source.ts';
import type { Source } from '../content.ts';
import { Count } from '../count.ts';
import { readFileFrom } from '../file-bytes.ts';
import { readConfig, readManifest } from '../image.ts';
import type { Readable } from '../image.ts';
import { packed, parsePacking } from '../packing.ts';
import type { Packing } from '../packing.ts';
import { TemporaryFolder } from '../temporary.ts';
import { configBytes } from './image-config.ts';
import type { ImageSettings } from './image-config.ts';
import { tarOfTree } from './layer-tree.ts';
import type { LayerTree } from './layer-tree.ts';

/** A layer to be made. */
export interface NewLayer {
  readonly tree: LayerTree;
  /** For the image's history. */
  readonly createdBy: string;
}

/** What is built for one platform. */
export interface BuildTarget {
  readonly platform: Platform;
  /** The image below; its layers keep their digests. Whoever opened it closes it after the built one. */
  readonly base?: Readable | undefined;
  readonly layers: readonly NewLayer[];
}

/** How an image is built. */
export interface BuildOptions {
  readonly settings: ImageSettings;
  readonly annotations?: Readonly<Record<string, string>>;
  /** RFC 3339; no other time gets into the image. The beginning of 1970 by default. */
  readonly created?: string;
  /** How layers are compressed; gzip by default. */
  readonly packing?: Packing;
  /** An existing folder for layers until the image is closed; the system's own by default. */
  readonly temporaryDirectory?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What holds if nobody says otherwise: the same inputs make the same image. */
const buildDefaults = { annotations: {}, created: '1970-01-01T00:00:00Z', packing: parsePacking() };

/** Everything that is known once nothing is left out. */
type Settled = BuildOptions & Required<Pick<BuildOptions, keyof typeof buildDefaults>>;

/**
 * Builds an image of layers, on another one or on nothing; of several platforms under one index. The
 * same inputs make the same digest on every machine. Whoever has it closes it.
 *
 * @throws {InputError} if a base has no image for the platform.
 * @throws {UnsupportedError} if a layer of a base is not a tar.
 */
export async function buildImage(
  targets: readonly BuildTarget[],
  options: BuildOptions,
): Promise<Source> {
  const temporary = new TemporaryFolder(options.temporaryDirectory);
  try {
    const build = new Build({ ...buildDefaults, ...options }, temporary);
    const images: Descriptor[] = [];
    for (const target of targets) images.push(await build.image(target));
    const [only] = images;
    return assembledSource({
      description: 'the built image',
      names: [],
      root: only && images.length === 1 ? only : build.index(images),
      blobs: build.blobs,
      close: () => temporary.remove(),
    });
  } catch (error) {
    await temporary.remove();
    throw error;
  }
}

/** A layer that was made, and what its tar hashes to. */
interface MadeLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly createdBy: string;
}

class Build {
  readonly blobs = new Map<Digest, Opener>();
  readonly #options: Settled;
  readonly #temporary: TemporaryFolder;

  constructor(options: Settled, temporary: TemporaryFolder) {
    this.#options = options;
    this.#temporary = temporary;
  }

  async image({ platform, base, layers }: BuildTarget): Promise<Descriptor> {
    const { signal, settings, created, annotations } = this.#options;
    const below = base && (await readManifest(base, { platform, signal }));
    const config = base && below && (await readConfig(base, below.config, signal));
    for (const layer of below?.layers ?? []) {
      if (base) this.blobs.set(layer.digest, (how) => base.read(layer, how));
    }
    const made: MadeLayer[] = [];
    for (const layer of layers) made.push(await this.#layer(layer));
    const bytes = configBytes({ platform, base: config, settings, layers: made, created });
    const all = [...(below?.layers ?? []), ...made.map(({ descriptor }) => descriptor)];
    const descriptor = { mediaType: mediaTypes.ociConfig, ...this.#kept(bytes) };
    return { ...this.#document(manifestOf(descriptor, all.map(asOci), annotations)), platform };
  }

  index(manifests: readonly Descriptor[]): Descriptor {
    const { annotations } = this.#options;
    const { ociIndex: mediaType } = mediaTypes;
    return this.#document(
      documentOf({ schemaVersion: 2, mediaType, manifests: [...manifests], annotations }),
    );
  }

  async #layer({ tree, createdBy }: NewLayer): Promise<MadeLayer> {
    const { packing, signal } = this.#options;
    const [content, stored] = [new Count(), new Count()];
    const bytes = stored.of(packed(content.of(tarOfTree(tree, signal)), packing));
    const file = await this.#temporary.spool(bytes, signal);
    const descriptor = stored.descriptor(layerTypes[packing.compression]);
    this.blobs.set(descriptor.digest, (how) => readFileFrom(file, how.offset, how.signal));
    return { descriptor, diffId: content.digest(), createdBy };
  }

  #document({ descriptor, bytes }: Document): Descriptor {
    this.#kept(bytes);
    return descriptor;
  }

  #kept(bytes: Uint8Array): Pick<Descriptor, 'digest' | 'size'> {
    const digest = digestOf(bytes);
    this.blobs.set(digest, openerOf(bytes));
    return { digest, size: bytes.byteLength };
  }
}

/** An OCI manifest has layers of OCI types; the bytes are the same. */
function asOci({ digest, size, mediaType }: Descriptor): Descriptor {
  const compression = compressionOf(mediaType);
  if (compression !== undefined) return { mediaType: layerTypes[compression], digest, size };
  throw new UnsupportedError(
    `Cannot build on layer ${digest}: it is ${mediaType}; want a base image whose layers are tars`,
  );
}
