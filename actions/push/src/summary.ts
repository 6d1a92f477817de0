import type { TransferResult } from '@reposure/core/transfer';

/** The table of the job's page: one row per reference. */
export function summaryRows(results: readonly TransferResult[]): string[][] {
  return results.flatMap((result) => {
    const { repository, tags, digest, platforms, bytes, pullRefs, pushRefs, durationMs, route } =
      result;
    const references = [...pullRefs, ...pushRefs].slice(0, tags.length);
    const named = references.length > 0 ? references : tags.map((tag) => `${repository}:${tag}`);
    return named.map((reference) => [
      reference,
      digest,
      platforms.map(({ platform }) => platform).join(', ') || '–',
      mebibytes(bytes.total),
      mebibytes(bytes.transferred),
      mebibytes(bytes.reused),
      `${(durationMs / 1000).toFixed(1)} s`,
      route.via,
    ]);
  });
}

/** The headings of {@link summaryRows}. */
export const summaryHeadings = [
  'Reference',
  'Digest',
  'Platforms',
  'Size',
  'Sent',
  'Reused',
  'Time',
  'Route',
] as const;

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
