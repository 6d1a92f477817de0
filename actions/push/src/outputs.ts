import { digestReferenceOf } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';

/**
 * What the step hands on, by the names of `action.yml`.
 *
 * @param results Of one image, one per repository.
 */
export function outputsOf(results: readonly TransferResult[]): Record<string, string> {
  const [first] = results;
  if (!first) return {};
  const byTag = results.flatMap(({ repository, tags, digest }) =>
    tags.map((tag) => [`${repository}:${tag}`, digest] as const),
  );
  const byPlatform = first.platforms.map(({ platform, digest }) => [platform, digest] as const);
  return {
    digest: first.digest,
    ref: digestReferenceOf(first),
    refs: JSON.stringify(results.flatMap(referencesOf)),
    digests: JSON.stringify({
      tags: Object.fromEntries(byTag),
      platforms: Object.fromEntries(byPlatform),
    }),
    'bytes-sent': String(results.reduce((sum, { bytes }) => sum + bytes.transferred, 0)),
  };
}

/** One per tag, under the best host that is known: the one that nodes pull by. */
export function referencesOf(result: TransferResult): readonly string[] {
  const { repository, tags, pullRefs, pushRefs } = result;
  if (pullRefs.length > 0) return pullRefs;
  return pushRefs.length > 0 ? pushRefs : tags.map((tag) => `${repository}:${tag}`);
}
