import { annotationKeys, mediaTypes, parseTarget } from '../oci/index.ts';
import type { Descriptor, Index } from '../oci/index.ts';

/** What `oci-layout` has in it. */
export const layoutMarker = JSON.stringify({ imageLayoutVersion: '1.0.0' });

/**
 * The entry of an image in `index.json`: the tag is what skopeo and podman find it by, the whole
 * name what containerd calls it.
 *
 * @param name `repository[:tag]`, or any other reference that the user chose.
 */
export function layoutEntry(root: Descriptor, name: string | undefined): Descriptor {
  const { mediaType, digest, size, platform, artifactType } = root;
  return {
    mediaType,
    digest,
    size,
    ...(platform ? { platform } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(name ? { annotations: namesOf(name) } : {}),
  };
}

/** Puts an entry into an index, in place of the one with the same name. */
export function merged(entries: readonly Descriptor[], entry: Descriptor): Index {
  const others = entries.filter((other) => !isSameName(other, entry));
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...others, entry] };
}

function namesOf(name: string): Record<string, string> {
  const tag = tagOf(name);
  return { [annotationKeys.refName]: tag ?? name, [annotationKeys.imageName]: name };
}

function tagOf(name: string): string | undefined {
  try {
    return parseTarget(name).tag;
  } catch {
    // A name with a host, or one that only this layout understands.
    return /:([\w][\w.-]{0,127})$/.exec(name)?.[1];
  }
}

/** Two repositories may both have a `latest`: the whole name decides where both have one. */
function isSameName(one: Descriptor, other: Descriptor): boolean {
  const [whole, otherWhole] = [one, other].map((entry) => nameIn(entry, annotationKeys.imageName));
  if (whole && otherWhole) return whole === otherWhole;
  const [name, otherName] = [one, other].map((entry) => nameIn(entry, annotationKeys.refName));
  return name === otherName && (name !== undefined || one.digest === other.digest);
}

function nameIn({ annotations }: Descriptor, key: string): string | undefined {
  return annotations?.[key];
}
