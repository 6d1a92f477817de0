import { describeBytes, describeDuration, InputError, parseDurationMs } from '@reposure/core';
import { parsePlatform } from '@reposure/core/oci';
import type { Platform } from '@reposure/core/oci';
import { digestReferenceOf } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';

import { table } from '../output.ts';

/** The options of every transfer. */
export interface TransferFlags {
  readonly retries: number;
  readonly concurrency: number;
  readonly stallTimeout: string;
}

/** Runs a parser of what the person typed, whose complaint is then one of wrong usage. */
export function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError(error.message, { cause: error });
    throw error;
  }
}

/**
 * What `--stall-timeout` says, in milliseconds.
 *
 * @throws {InputError} if it is no duration, or none that anything could happen in.
 */
export function parsePatience(text: string): number {
  const patienceMs = parseDurationMs(text);
  if (patienceMs > 0) return patienceMs;
  throw new InputError(`Cannot use --stall-timeout=${text}: every request would fail; want 60s`);
}

/** What `--platform` says. @returns `undefined` for all of them. */
export function platformsOf(texts: readonly string[] | undefined): readonly Platform[] | undefined {
  if (!texts?.includes('all')) return usage(() => texts?.map((text) => parsePlatform(text)));
  if (texts.length === 1) return undefined;
  throw new InputError('Cannot take --platform=all and others; want either');
}

/** One line per name, and what it cost to get there. */
export function describeTransfer(result: TransferResult, done: string): string {
  const { repository, tags, digest, bytes, blobs, route, durationMs } = result;
  const name = tags.length > 0 ? tags.map((tag) => `${repository}:${tag}`).join(', ') : repository;
  const mounted = blobs.mounted > 0 ? `, and ${blobs.mounted} in other repositories` : '';
  const lines = [
    `${done} ${name}`,
    `Digest: ${digest}`,
    ...result.platforms.map((entry) => `  ${entry.platform}  ${entry.digest}`),
    ...result.pullRefs.map((reference) => `Nodes pull: ${reference}`),
    ...result.pushRefs.map((reference) => `Pods reach: ${reference}`),
    `${describeBytes(bytes.transferred)} travelled (${blobs.transferred} blobs), ${describeBytes(bytes.reused)} were there already (${blobs.reused}${mounted}), in ${describeDuration(durationMs)} by ${route.via}`,
  ];
  return lines.join('\n');
}

/** Where each blob of a push comes from, as a table. */
export function describePlan({ plan = [] }: TransferResult): string {
  return table(
    ['BLOB', 'SIZE', 'FROM'],
    plan.map(({ digest, size, from, repository }) => [
      digest,
      describeBytes(size),
      repository === undefined ? from : `${from}, ${repository}`,
    ]),
  );
}

/** `-o name`: the reference by digest, under the name that nodes pull where it is known. */
export function namesOf(result: TransferResult): string[] {
  return [digestReferenceOf(result)];
}
