import { InputError } from '../errors.ts';
import { describeReference, parseTarget } from '../oci/index.ts';
import type { Digest, Target } from '../oci/index.ts';

/** The repository that a name without a slash lies in, as the predecessor and Docker have it. */
const defaultNamespace = 'library';

/** One or several names of one image in one registry. */
export interface Destination {
  readonly repository: string;
  /** At least one, unless the name carries a digest. */
  readonly tags: readonly string[];
}

/**
 * Parses what a person writes for an image in a registry: `[repository/]name[:tag][@digest]`.
 *
 * @returns `library/name` for a name without a slash; the tag is left out if there is none.
 * @throws {InputError} if a registry would refuse it.
 */
export function parseImageName(text: string): Target {
  try {
    const target = parseTarget(text);
    if (target.repository.includes('/')) return target;
    return { ...target, repository: `${defaultNamespace}/${target.repository}` };
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new InputError(cause.message, { cause });
    throw cause;
  }
}

/**
 * Where an image goes: the tag of its name and those beside it, `latest` if there is none at all.
 *
 * @param tags Bare tags, without a repository.
 * @throws {InputError} if the name carries a digest, or a tag is none.
 */
export function parseDestination(text: string, tags: readonly string[] = []): Destination {
  const { repository, tag, digest } = parseImageName(text);
  if (digest) {
    throw new InputError(`Cannot push to "${text}": a digest follows from the content; want a tag`);
  }
  const all = [...(tag ? [tag] : []), ...tags];
  for (const extra of tags) parseImageName(`${repository}:${extra}`);
  return { repository, tags: all.length > 0 ? [...new Set(all)] : ['latest'] };
}

/** `host/repository:tag` for every tag, or `host/repository@digest` if there is none. */
export function referencesOf(
  host: string | undefined,
  repository: string,
  tags: readonly string[],
  digest: Digest,
): string[] {
  if (!host) return [];
  if (tags.length === 0) return [describeReference({ registry: host, repository, digest })];
  return tags.map((tag) => describeReference({ registry: host, repository, tag }));
}
