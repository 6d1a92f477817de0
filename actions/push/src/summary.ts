import { describeBytes, describeDuration } from '@reposure/core';
import type { TransferResult } from '@reposure/core/transfer';

import { referencesOf } from './outputs.ts';

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

/** The table of the job's page: one row per reference. */
export function summaryRows(results: readonly TransferResult[]): string[][] {
  return results.flatMap((result) => {
    const { digest, platforms, bytes, durationMs, route } = result;
    const cells = [
      digest,
      platforms.map(({ platform }) => platform).join(', ') || '–',
      describeBytes(bytes.total),
      describeBytes(bytes.transferred),
      describeBytes(bytes.reused),
      describeDuration(durationMs),
      route.via,
    ];
    return referencesOf(result).map((reference) => [reference].concat(cells));
  });
}
