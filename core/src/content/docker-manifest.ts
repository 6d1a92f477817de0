import * as z from 'zod';

import { collect } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { ContentInvalidError, maxManifestBytes } from '../oci/index.ts';
import type { Files } from './files.ts';

/** What `docker save` and `podman save` list their images in. */
export const dockerManifestFile = 'manifest.json';

const DockerImage = z.looseObject({
  Config: z.string().min(1),
  RepoTags: z.array(z.string()).nullish(),
  Layers: z.array(z.string().min(1)).nullish(),
});

/** One image of a docker archive: paths inside it, and the names it was saved under. */
export interface DockerImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/**
 * Reads which images a docker archive has, and picks one.
 *
 * @param name As `docker save` wrote it, or without `:latest` or the registry; `@0` is the first.
 * @throws {InputError} if it cannot be told which image is meant.
 * @throws {ContentInvalidError} if the list is malformed.
 * @see https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */
export async function readDockerImage(files: Files, name?: string): Promise<DockerImage> {
  const what = `${dockerManifestFile} of ${files.what}`;
  const bytes = await collect(files.read(dockerManifestFile), what, maxManifestBytes);
  const images = imagesOf(bytes, what);
  const found =
    name === undefined ? images : images.filter((image, at) => isNamed(image, at, name));
  const [image] = found;
  if (image && found.length === 1) return image;
  if (images.length === 0) throw new InputError(`Cannot read ${files.what}: it holds no image`);
  const choice = images.map(({ names }, at) => names[0] ?? `@${at}`).join(', ');
  throw new InputError(
    name === undefined
      ? `Cannot tell which image of ${files.what} is meant: it has ${choice}; put the name behind a colon`
      : `Cannot find image "${name}" in ${files.what}: it has ${choice}`,
  );
}

function imagesOf(bytes: Uint8Array, what: string): readonly DockerImage[] {
  const parsed = z.array(DockerImage).safeParse(jsonOf(bytes, what));
  if (!parsed.success) {
    throw new ContentInvalidError(`Cannot read ${what}: it is not a list of images`, {
      cause: parsed.error.issues[0]?.message,
    });
  }
  return parsed.data.map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    layers: Layers ?? [],
    names: RepoTags ?? [],
  }));
}

function jsonOf(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ContentInvalidError(`Cannot read ${what}: it is not JSON`, { cause });
  }
}

function isNamed({ names }: DockerImage, at: number, name: string): boolean {
  if (name === `@${at}`) return true;
  const candidates = [name, `${name}:latest`];
  return names.some((known) =>
    candidates.some((candidate) => known === candidate || known.endsWith(`/${candidate}`)),
  );
}
