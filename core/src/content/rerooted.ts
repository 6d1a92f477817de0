import { InputError } from '../errors.ts';
import { documentOf, mediaTypes } from '../oci/index.ts';
import type { Document } from '../oci/index.ts';
import { openerOf } from './assembled-source.ts';
import type { Source } from './content.ts';
import { readDocument } from './image.ts';

/** What is said of a whole image besides what it consists of. */
export interface RootMarks {
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** A media type, as RFC 6838 has it. */
  readonly artifactType?: string | undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc6838.html#section-4.2 */
const mediaTypePattern = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/i;

/** @throws {InputError} if an annotation has no key or the artifact type is no media type. */
export function checkMarks({ annotations = {}, artifactType }: RootMarks): void {
  if (Object.hasOwn(annotations, '')) {
    throw new InputError('Cannot annotate an image: a key is empty; want KEY=VALUE');
  }
  if (artifactType !== undefined && !mediaTypePattern.test(artifactType)) {
    throw new InputError(
      `Cannot use the artifact type "${artifactType}": want a media type, e.g. application/vnd.example.sbom.v1+json`,
    );
  }
}

/**
 * A docker archive holds images and nothing else.
 *
 * @throws {InputError} if there is an artifact type.
 */
export function refuseArtifactType(artifactType: string | undefined, what: string): void {
  if (artifactType === undefined) return;
  throw new InputError(
    `Cannot give ${what} the artifact type ${artifactType}: it is an image to run; leave the artifact type out`,
  );
}

/**
 * The same image under a new root that carries the marks; what the root names is untouched.
 *
 * @throws {InputError} if the root is Docker's, which has no place for them.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#image-manifest-property-descriptions
 */
export async function marked(source: Source, marks: RootMarks): Promise<Source> {
  const { annotations = {}, artifactType } = marks;
  if (artifactType === undefined && Object.keys(annotations).length === 0) return source;
  const { mediaType } = source.root;
  if (mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerIndex) {
    throw new InputError(
      `Cannot annotate ${source.description}: it is ${mediaType}, which has no annotations and no artifact type; want an OCI image`,
    );
  }
  const { content } = await readDocument(source, source.root);
  const old = content.kind === 'index' ? content.index : content.manifest;
  const document = documentOf({
    ...old,
    ...(artifactType === undefined ? {} : { artifactType }),
    annotations: { ...old.annotations, ...annotations },
  });
  const { platform } = source.root;
  const type = artifactType ?? source.root.artifactType;
  const descriptor = {
    ...document.descriptor,
    ...(platform ? { platform } : {}),
    ...(type ? { artifactType: type } : {}),
  };
  return rerooted(source, { ...document, descriptor });
}

/** A source with another root, which names what the source has. */
export function rerooted(source: Source, { descriptor: root, bytes }: Document): Source {
  const opener = openerOf(bytes);
  return {
    ...bound(source),
    root,
    read: (descriptor, options = {}) =>
      descriptor.digest === root.digest ? opener(options) : source.read(descriptor, options),
  };
}

/** A source whose functions may be copied into another one. */
export function bound(source: Source): Source {
  return {
    root: source.root,
    description: source.description,
    names: source.names,
    read: (descriptor, options) => source.read(descriptor, options),
    close: () => source.close(),
  };
}
