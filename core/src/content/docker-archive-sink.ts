import { mkdir } from 'node:fs/promises';

import { collect } from '../bytes.ts';
import { InputError, UnsupportedError } from '../errors.ts';
import {
  childrenOf,
  compressionOf,
  ContentInvalidError,
  describePlatform,
  isIndexType,
  isPlatformMatch,
  maxManifestBytes,
  partsOf,
} from '../oci/index.ts';
import type { Descriptor, Digest, Manifest, Platform } from '../oci/index.ts';
import type { Sink } from './content.ts';
import { dockerManifestFile } from './docker-manifest.ts';
import { isImageConfig, readDocument, readLayers } from './image.ts';
import { layerTar } from './layer-tar.ts';
import type { ImageIdentity } from './loaded-image.ts';
import { incomplete } from './oci-archive-sink.ts';
import type { ArchiveSinkOptions } from './oci-archive-sink.ts';
import type { OutputFile } from './output-file.ts';
import { StagedBlobs } from './staged-blobs.ts';
import { TarOutput } from './tar-output.ts';
import type { TemporaryFolder } from './temporary.ts';

/** What a docker archive needs besides its file. */
export interface DockerSinkOptions extends ArchiveSinkOptions {
  readonly temporary: TemporaryFolder;
  /** Which image of an index: the format holds one platform. */
  readonly platform?: Platform | undefined;
  /** Looks whether what was published is this image now. */
  readonly confirm?: (expected: ImageIdentity) => Promise<void>;
}

/**
 * What `docker save` writes and `docker load`, `podman load` and skopeo read: the config, and the
 * layers unpacked. Blobs wait in the temporary folder, as it takes the config to name them.
 *
 * @see https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */
export async function dockerArchiveSink(
  output: OutputFile,
  options: DockerSinkOptions,
): Promise<Sink> {
  const { description, temporary, signal } = options;
  const folder = await temporary.next();
  await mkdir(folder);
  const staged = new StagedBlobs(folder);
  return {
    description,
    has: async ({ digest }) => staged.held.has(digest),
    write: (descriptor, content) => staged.write(descriptor, content, signal),
    commit: async (root, name) => {
      const manifest = await manifestUnder(root, staged, options);
      const tar = new TarOutput(output.handle);
      const called = options.name ?? name;
      const written = await writeImage(tar, staged, { manifest, root, name: called, options });
      await output.publish(await tar.finish());
      await options.confirm?.(written);
      await temporary.remove();
    },
    abort: async () => {
      await output.discard();
      await temporary.remove();
    },
  };
}

interface Writing {
  readonly manifest: Manifest;
  readonly root: Descriptor;
  readonly name: string | undefined;
  readonly options: DockerSinkOptions;
}

async function writeImage(
  tar: TarOutput,
  staged: StagedBlobs,
  { manifest, root, name, options: { signal } }: Writing,
): Promise<ImageIdentity> {
  const source = readerOf(staged, root);
  const written = new Set<Digest>();
  const diffIds: Digest[] = [];
  const paths: string[] = [];
  for (const { descriptor, diffId } of await readLayers(source, manifest, signal)) {
    if (!diffId) continue;
    const { hex } = partsOf(diffId);
    const path = `${hex}/layer.tar`;
    paths.push(path);
    diffIds.push(diffId);
    // A layer may come twice: it is listed twice and written once.
    if (written.has(diffId)) continue;
    written.add(diffId);
    await tar.folder(hex);
    await tar.append(path, layerTar(source, { descriptor, diffId }, signal));
  }
  const config = `${partsOf(manifest.config.digest).hex}.json`;
  const bytes = await collect(staged.read(manifest.config, signal), config, maxManifestBytes);
  await tar.file(config, bytes);
  const images = [{ Config: config, RepoTags: name ? [tagged(name)] : null, Layers: paths }];
  await tar.file(dockerManifestFile, JSON.stringify(images));
  return { config: manifest.config.digest, diffIds };
}

function readerOf(staged: StagedBlobs, root: Descriptor): Parameters<typeof readLayers>[0] {
  return {
    root,
    read: (descriptor, options) => {
      if (!staged.held.has(descriptor.digest))
        throw incomplete('the docker archive', descriptor.digest);
      return staged.read(descriptor, options?.signal);
    },
  };
}

/** The one image that goes into the archive. */
async function manifestUnder(
  root: Descriptor,
  staged: StagedBlobs,
  options: DockerSinkOptions,
): Promise<Manifest> {
  const { description, platform, signal } = options;
  const source = readerOf(staged, root);
  const document = await readDocument(source, root, signal);
  if (document.content.kind === 'manifest') {
    checkImage(document.content.manifest, description);
    return document.content.manifest;
  }
  const arrived = childrenOf(document).filter(
    (child) =>
      !isIndexType(child.mediaType) &&
      staged.held.has(child.digest) &&
      child.platform?.os !== 'unknown' &&
      (!platform || (child.platform && isPlatformMatch(child.platform, platform))),
  );
  const [only] = arrived;
  if (!only || arrived.length > 1) throw severalPlatforms(description, arrived);
  return manifestUnder(only, staged, options);
}

function checkImage({ config, layers }: Manifest, description: string): void {
  if (!isImageConfig(config)) {
    throw new UnsupportedError(
      `Cannot write ${description}: the config is ${config.mediaType}, so this is not an image that docker knows; want oci:DIR or oci-archive:FILE for it`,
    );
  }
  const odd = layers.find(({ mediaType }) => compressionOf(mediaType) === undefined);
  if (odd) {
    throw new ContentInvalidError(
      `Cannot write ${description}: layer ${odd.digest} is ${odd.mediaType}; want a tar layer, or write oci:DIR`,
    );
  }
}

function severalPlatforms(description: string, offered: readonly Descriptor[]): InputError {
  const known = offered.flatMap(({ platform }) => (platform ? [describePlatform(platform)] : []));
  return new InputError(
    `Cannot write ${description}: a docker archive holds one platform, and this image has ${known.join(', ') || 'none that was asked for'}; name one with --platform`,
  );
}

/** Docker refuses names without a tag. */
function tagged(name: string): string {
  return name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`;
}
