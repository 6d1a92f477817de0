import { collect } from '../bytes.ts';
import {
  ContentInvalidError,
  digestOf,
  maxManifestBytes,
  mediaTypes,
  parseConfig,
} from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { assembledSource, manifestOf, openerOf } from './assembled-source.ts';
import type { Opener } from './assembled-source.ts';
import type { Source } from './content.ts';
import { dockerLayers } from './docker-layers.ts';
import type { LayerOptions } from './docker-layers.ts';
import { readDockerImage } from './docker-manifest.ts';
import type { DockerImage } from './docker-manifest.ts';
import type { TarFiles } from './tar-files.ts';

/** What opening a docker archive needs. */
export interface DockerSourceOptions extends LayerOptions {
  readonly name?: string | undefined;
}

/**
 * An image of a docker archive, as an OCI image: the config stays as it is and keeps the image's
 * ID; layers that lie there unpacked are packed into the temporary folder.
 *
 * @throws {ContentMismatchError} if a layer is not the one that the config names.
 */
export async function dockerSource(
  files: TarFiles,
  { name, ...options }: DockerSourceOptions,
): Promise<Source> {
  const image = await readDockerImage(files, name);
  const config = await collect(
    files.read(image.config),
    `the config of ${files.what}`,
    maxManifestBytes,
  );
  const diffIds = diffIdsOf(config, image, files.what);
  const paths = new Map(diffIds.map((diffId, at) => [diffId, image.layers[at] ?? '']));
  const packed = await dockerLayers(files, paths, options);
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
