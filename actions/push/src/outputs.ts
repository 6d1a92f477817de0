import type { TransferResult } from '@reposure/core/transfer';

/** What the step hands on, by the names of `action.yml`. */
export function outputsOf(results: readonly TransferResult[]): Record<string, string> {
  const [first] = results;
  if (!first) return {};
  const references = results.flatMap(({ pullRefs, pushRefs }) =>
    pullRefs.length > 0 ? pullRefs : pushRefs,
  );
  const host = (references[0] ?? '').split('/')[0] ?? '';
  const byTag = results.flatMap(({ repository, tags, digest }) =>
    tags.map((tag) => [`${repository}:${tag}`, digest] as const),
  );
  const byPlatform = first.platforms.map(({ platform, digest }) => [platform, digest] as const);
  return {
    digest: first.digest,
    ref: `${host ? `${host}/` : ''}${first.repository}@${first.digest}`,
    refs: JSON.stringify(references),
    digests: JSON.stringify({
      tags: Object.fromEntries(byTag),
      platforms: Object.fromEntries(byPlatform),
    }),
    'bytes-sent': String(results.reduce((sum, { bytes }) => sum + bytes.transferred, 0)),
  };
}
