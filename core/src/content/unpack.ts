import type { ByteStream } from '../bytes.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { annotationKeys, compressionOf, mediaTypes, verified } from '../oci/index.ts';
import type { Platform } from '../oci/index.ts';
import type { Tally } from './contained.ts';
import type { Source } from './content.ts';
import { segmentsOf } from './entry-path.ts';
import { readLayers, readManifest } from './image.ts';
import type { Layer } from './image.ts';
import { layerTar } from './layer-tar.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { LayerUnpacking } from './unpack-layer.ts';
import { UnpackBudget } from './unpack-limits.ts';
import type { UnpackLimits } from './unpack-limits.ts';
import { unpackedInto } from './unpack-staging.ts';

/** What unpacking takes besides its place. */
export interface UnpackOptions {
  /** Of an index; this machine's by default. */
  readonly platform?: Platform | undefined;
  readonly limits?: Partial<UnpackLimits>;
  readonly signal?: AbortSignal | undefined;
  /** Is told of devices and pipes, which are left out. */
  readonly log?: Log;
}

/** What was unpacked: regular files, and their bytes. */
export type Unpacked = Tally;

/**
 * Unpacks an image: all layers in order, whiteouts applied, every digest and diffId proved.
 *
 * Nothing is ever written outside the folder, and nothing stays in it if anything fails. Absolute
 * links are made relative to it; owners, times, setuid and devices are left out.
 *
 * @param directory New or empty.
 * @throws {InputError} if it is not.
 * @throws {ContentInvalidError} if a layer is corrupt, or an entry leads out of the folder.
 * @throws {ContentMismatchError} if content is not what its digest or diffId says.
 * @throws {LimitExceededError} if it is more than `limits` allow.
 * @throws {DiskFullError} if there is no room for it.
 */
export async function unpack(
  source: Pick<Source, 'read' | 'root'>,
  directory: string,
  options: UnpackOptions = {},
): Promise<Unpacked> {
  const { log = silent, limits, signal } = options;
  const manifest = await readManifest(source, options);
  const layers = await readLayers(source, manifest, signal);
  return unpackedInto(directory, async (tree) => {
    const unpacking = { tree, budget: new UnpackBudget(limits), log, signal };
    for (const layer of layers) await applyLayer(source, layer, unpacking);
  });
}

async function applyLayer(
  source: Pick<Source, 'read'>,
  layer: Layer,
  unpacking: LayerUnpacking,
): Promise<void> {
  const { descriptor } = layer;
  const { budget, signal, tree } = unpacking;
  const title = descriptor.annotations?.[annotationKeys.title];
  if (descriptor.mediaType === mediaTypes.ociEmpty) return;
  if (compressionOf(descriptor.mediaType) === undefined && title) {
    // Another tool's artifact: the layer is the file.
    const content: ByteStream = verified(source.read(descriptor, { signal }), descriptor);
    budget.countEntry();
    await tree.putFile(segmentsOf(title), 0o644, budget.counted(content, descriptor.size));
    return;
  }
  const tar = budget.counted(layerTar(source, layer, signal), descriptor.size);
  await unpackLayer(tar, `layer ${descriptor.digest}`, unpacking);
}
