import type { Summary } from '@reposure/action-shared';
import { describeBytes, describeDuration } from '@reposure/core';
import type { TransferResult } from '@reposure/core/transfer';

import { referencesOf } from './outputs.ts';

/** The table of the job's page: one row per reference. */
export function summaryOf(results: readonly TransferResult[]): Summary {
  const isDryRun = results.some(({ dryRun }) => dryRun);
  return {
    heading: isDryRun ? 'Images that would be pushed' : 'Pushed images',
    tables: [{ columns, rows: results.flatMap(rowsOf) }],
  };
}

const columns = ['Reference', 'Digest', 'Platforms', 'Size', 'Sent', 'Reused', 'Time', 'Route'];

function rowsOf(result: TransferResult): string[][] {
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
}
