import { InputError } from '../errors.ts';
import { describePlatform, documentOf, isPlatformMatch } from '../oci/index.ts';
import type { Descriptor, Platform } from '../oci/index.ts';
import type { Source } from './content.ts';
import { isImageConfig, readConfig, readDocument } from './image.ts';
import { bound, rerooted } from './rerooted.ts';

/** What buildx points from an attestation to its image with. */
const attestedKey = 'vnd.docker.reference.digest';

/**
 * Keeps some platforms of an index: one manifest stands for itself, several make a new index.
 *
 * @throws {InputError} if one of the platforms is not there.
 */
export async function narrowed(source: Source, platforms: readonly Platform[]): Promise<Source> {
  const root = await readDocument(source, source.root);
  if (root.content.kind === 'manifest') {
    await checkPlatform(source, root.content.manifest.config, platforms);
    return source;
  }
  const { index } = root.content;
  const images = index.manifests.filter((child) => matches(child, platforms));
  const absent = platforms.filter((wanted) => !images.some((child) => matches(child, [wanted])));
  if (absent.length > 0) throw noSuchPlatform(source, absent, index.manifests);
  const [only] = images;
  if (only && images.length === 1) return { ...bound(source), root: only };
  const kept = index.manifests.filter(
    (child) => images.includes(child) || images.some((image) => isAbout(child, image)),
  );
  if (kept.length === index.manifests.length) return source;
  return rerooted(source, documentOf({ ...index, manifests: kept }));
}

function matches({ platform }: Descriptor, wanted: readonly Platform[]): boolean {
  return platform !== undefined && wanted.some((one) => isPlatformMatch(platform, one));
}

function isAbout({ annotations }: Descriptor, image: Descriptor): boolean {
  return annotations?.[attestedKey] === image.digest;
}

async function checkPlatform(
  source: Source,
  config: Descriptor,
  platforms: readonly Platform[],
): Promise<void> {
  // An artifact of another kind runs nowhere, or everywhere.
  if (!isImageConfig(config)) return;
  const own = await readConfig(source, config);
  if (platforms.every((wanted) => isPlatformMatch(own, wanted))) return;
  throw noSuchPlatform(source, platforms, [{ ...config, platform: own }]);
}

function noSuchPlatform(
  { description }: Source,
  wanted: readonly Platform[],
  offered: readonly Descriptor[],
): InputError {
  const known = offered
    .flatMap(({ platform }) => (platform && platform.os !== 'unknown' ? [platform] : []))
    .map(describePlatform);
  return new InputError(
    `Cannot take ${wanted.map(describePlatform).join(', ')} from ${description}: it has ${known.join(', ') || 'no platforms'}`,
  );
}
