import type { ByteStream } from '../bytes.ts';
import { compressionOf, ContentMismatchError, layerTypes } from '../oci/index.ts';
import type { Compression, Descriptor, Digest } from '../oci/index.ts';
import type { Opener } from './assembled-source.ts';
import type { FindLayers } from './content.ts';
import { Count } from './count.ts';
import { readFileFrom } from './file-bytes.ts';
import { eachLimited } from './limited.ts';
import { ContentNotFoundError } from './not-found.ts';
import { compressionOfBytes, packed, unpacked } from './packing.ts';
import type { Packing } from './packing.ts';
import type { TarFiles } from './tar-files.ts';
import { abortable } from './temporary.ts';
import type { TemporaryFolder } from './temporary.ts';

/** Two cores pack at a time; more would only fill the disk's queue. */
const packers = 2;

/** How the layers of a docker archive become those of an OCI image. */
export interface LayerOptions {
  readonly temporary: TemporaryFolder;
  /** For those that lie there unpacked. */
  readonly packing: Packing;
  readonly findLayers?: FindLayers | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A layer that is proved, or that need not be. */
export interface DockerLayer {
  readonly descriptor: Descriptor;
  readonly opener: Opener;
}

/**
 * Packs the layers of a docker archive, other than those that are packed, or that the registry has.
 *
 * @param paths Where each layer lies, by its `diffId`.
 * @throws {ContentMismatchError} if one is not what its `diffId` says.
 */
export async function dockerLayers(
  files: TarFiles,
  paths: ReadonlyMap<Digest, string>,
  options: LayerOptions,
): Promise<ReadonlyMap<Digest, DockerLayer>> {
  const archived: ArchivedLayer[] = [];
  for (const [diffId, path] of paths) {
    const compression = compressionOfBytes(await headOf(files.read(path)));
    archived.push({ files, path, diffId, compression });
  }
  const layers = await presentLayers(archived, options);
  const absent = archived.filter(({ diffId }) => !layers.has(diffId));
  await eachLimited(absent, packers, async (layer) => {
    const isKept = layer.compression !== 'none' || options.packing.compression === 'none';
    layers.set(layer.diffId, await (isKept ? kept(layer, options) : spooled(layer, options)));
  });
  return layers;
}

interface ArchivedLayer {
  readonly files: TarFiles;
  readonly path: string;
  readonly diffId: Digest;
  readonly compression: Compression;
}

/** What is in the registry under the same `diffId`: it is not even read here. */
async function presentLayers(
  archived: readonly ArchivedLayer[],
  options: LayerOptions,
): Promise<Map<Digest, DockerLayer>> {
  const { findLayers, packing } = options;
  const layers = new Map<Digest, DockerLayer>();
  const plain = archived.filter(({ compression }) => compression === 'none');
  if (!findLayers || plain.length === 0) return layers;
  const found = await findLayers(plain.map(({ diffId }) => diffId));
  for (const layer of plain) {
    const answer = found.get(layer.diffId);
    const descriptor = answer && usable(answer, packing);
    if (descriptor) {
      layers.set(layer.diffId, { descriptor, opener: packedAfterAll(layer, descriptor, options) });
    }
  }
  return layers;
}

/** An answer as a manifest of ours names it; none if it is packed otherwise than was asked for. */
function usable(
  { mediaType, digest, size, annotations }: Descriptor,
  { compression, isAsked }: Packing,
): Descriptor | undefined {
  const found = compressionOf(mediaType);
  if (found === undefined || (isAsked && found !== compression)) return undefined;
  return { mediaType: layerTypes[found], digest, size, ...(annotations ? { annotations } : {}) };
}

/** For a registry that has lost what it had. What another program packed we cannot make again. */
function packedAfterAll(
  layer: ArchivedLayer,
  { digest }: Descriptor,
  options: LayerOptions,
): Opener {
  let packing: Promise<DockerLayer> | undefined;
  return async function* opened(how) {
    packing ??= spooled(layer, options);
    const { descriptor, opener } = await packing;
    if (descriptor.digest !== digest) throw lost(layer, digest);
    yield* opener(how);
  };
}

function lost({ files, path }: ArchivedLayer, digest: Digest): ContentNotFoundError {
  return new ContentNotFoundError(
    `Cannot send layer ${path} of ${files.what}: the registry had it as ${digest}, which it has lost meanwhile, and it is packed otherwise here; try again`,
  );
}

async function spooled(
  { files, path, diffId }: ArchivedLayer,
  { temporary, packing, signal }: LayerOptions,
): Promise<DockerLayer> {
  const content = new Count(diffId);
  const stored = new Count();
  const plain = content.of(files.pass(path, signal));
  const place = await temporary.spool(stored.of(packed(plain, packing)), signal);
  prove(content, diffId, `layer ${path} of ${files.what}`);
  return {
    descriptor: stored.descriptor(layerTypes[packing.compression]),
    opener: ({ offset, signal: stop }) => readFileFrom(place, offset, stop),
  };
}

/** These bytes stay as they are, and where they are: only read, to prove them. */
async function kept(
  { files, path, diffId, compression }: ArchivedLayer,
  { signal }: LayerOptions,
): Promise<DockerLayer> {
  const what = `layer ${path} of ${files.what}`;
  const content = new Count(diffId);
  // Not hashed twice if both are the same.
  const stored = compression === 'none' ? content : new Count();
  const plain =
    stored === content
      ? files.pass(path, signal)
      : unpacked(stored.of(files.read(path, { signal })), compression, what);
  for await (const _ of content.of(abortable(plain, signal)));
  prove(content, diffId, what);
  return {
    descriptor: stored.descriptor(layerTypes[compression]),
    opener: (options) => files.read(path, options),
  };
}

function prove(content: Count, diffId: Digest, what: string): void {
  const actual = content.digest();
  if (actual === diffId) return;
  throw new ContentMismatchError(
    `Cannot use ${what}: its content is ${actual}, the config of the image says ${diffId}; want the archive as it was saved`,
  );
}

async function headOf(content: ByteStream): Promise<Uint8Array> {
  for await (const chunk of content) return chunk;
  return new Uint8Array();
}
