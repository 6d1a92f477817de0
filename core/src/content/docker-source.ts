import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import {
  ContentInvalidError,
  ContentMismatchError,
  digestOf,
  maxManifestBytes,
  mediaTypes,
  parseConfig,
} from '../oci/index.ts';
import type { Compression, Descriptor, Digest } from '../oci/index.ts';
import { assembledSource, manifestOf, openerOf } from './assembled-source.ts';
import type { Opener } from './assembled-source.ts';
import type { Source } from './content.ts';
import { Count } from './count.ts';
import { readDockerImage } from './docker-manifest.ts';
import type { DockerImage } from './docker-manifest.ts';
import { readFileFrom } from './file-bytes.ts';
import { eachLimited } from './limited.ts';
import { compressionOfBytes, gzipped, unpacked } from './packing.ts';
import type { TarFiles } from './tar-files.ts';
import { abortable } from './temporary.ts';
import type { TemporaryFolder } from './temporary.ts';

/** Two cores pack at a time; more would only fill the disk's queue. */
const packers = 2;

const layerTypes: Record<Compression, string> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** A layer that was packed and proved. */
interface Packed {
  readonly descriptor: Descriptor;
  readonly opener: Opener;
}

/** What opening a docker archive needs. */
export interface DockerSourceOptions {
  readonly temporary: TemporaryFolder;
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An image of a docker archive, as an OCI image: the config stays as it is and keeps the image's
 * ID; layers that lie there unpacked are packed into the temporary folder.
 *
 * @throws {ContentMismatchError} if a layer is not the one that the config names.
 */
export async function dockerSource(
  files: TarFiles,
  { temporary, name, signal }: DockerSourceOptions,
): Promise<Source> {
  const image = await readDockerImage(files, name);
  const config = await collect(
    files.read(image.config),
    `the config of ${files.what}`,
    maxManifestBytes,
  );
  const diffIds = diffIdsOf(config, image, files.what);
  const packed = new Map<Digest, Packed>();
  await eachLimited([...new Set(diffIds)], packers, async (diffId) => {
    const path = image.layers[diffIds.indexOf(diffId)] ?? '';
    packed.set(diffId, await pack({ files, path, diffId, temporary, signal }));
  });
  const layers = diffIds.flatMap((diffId) => packed.get(diffId) ?? []);
  const configDescriptor = {
    mediaType: mediaTypes.ociConfig,
    digest: digestOf(config),
    size: config.length,
  };
  const manifest = manifestOf(
    configDescriptor,
    layers.map(({ descriptor }) => descriptor),
  );
  const blobs = new Map<Digest, Opener>([
    ...layers.map(({ descriptor, opener }) => [descriptor.digest, opener] as const),
    [configDescriptor.digest, openerOf(config)],
    [manifest.descriptor.digest, openerOf(manifest.bytes)],
  ]);
  return assembledSource({
    description: files.what,
    names: image.names,
    root: manifest.descriptor,
    blobs,
    close: () => files.close(),
  });
}

function diffIdsOf(config: Uint8Array, { layers }: DockerImage, what: string): readonly Digest[] {
  const { diff_ids: diffIds } = parseConfig(config).rootfs;
  if (diffIds.length !== layers.length) {
    throw new ContentInvalidError(
      `Cannot read ${what}: it lists ${layers.length} layers and its config ${diffIds.length}; want one for each`,
    );
  }
  return diffIds;
}

interface LayerOfArchive {
  readonly files: TarFiles;
  readonly path: string;
  readonly diffId: Digest;
  readonly temporary: TemporaryFolder;
  readonly signal: AbortSignal | undefined;
}

async function pack({ files, path, diffId, temporary, signal }: LayerOfArchive): Promise<Packed> {
  const what = `layer ${path} of ${files.what}`;
  const compression = compressionOfBytes(await headOf(files.read(path)));
  const packing = new Count();
  const content = new Count(diffId);
  if (compression === 'none') {
    const plain = content.of(files.read(path, { signal }));
    const spooled = await temporary.spool(packing.of(gzipped(plain)), signal);
    prove(content, diffId, what);
    const opener: Opener = ({ offset, signal: stop }) => readFileFrom(spooled, offset, stop);
    return { descriptor: packing.descriptor(layerTypes.gzip), opener };
  }
  // Packed already, as podman does if asked: these bytes are kept.
  const plain = unpacked(packing.of(files.read(path, { signal })), compression, what);
  for await (const _ of content.of(abortable(plain, signal)));
  prove(content, diffId, what);
  return {
    descriptor: packing.descriptor(layerTypes[compression]),
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
