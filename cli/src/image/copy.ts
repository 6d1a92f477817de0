import { describeBytes } from '@reposure/core';
import { parseDigest } from '@reposure/core/oci';
import { copy, imageResultsOf } from '@reposure/core/transfer';
import type { CopyOptions, CopyResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import type { Environment } from '../environment.ts';
import { print } from '../output.ts';
import type { Overwrite } from '../overwrite.ts';
import { progressView } from '../progress-view.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';
import { parseEnds, withEnds } from './copy-ends.ts';
import type { EndFlags, NamedEnds, OpenEnds } from './copy-ends.ts';
import { stateOf } from './state.ts';
import {
  describePlan,
  describeTransfer,
  namesOf,
  parsePatience,
  platformsOf,
  usage,
} from './transfer.ts';
import type { TransferFlags } from './transfer.ts';

interface CopyFlags extends EndFlags, TransferFlags {
  readonly platform?: readonly string[];
  readonly expectDigest?: string;
  readonly referrers?: boolean;
  readonly state?: boolean;
  readonly dryRun?: boolean;
  readonly overwrite?: Overwrite;
  readonly result?: ResultFiles;
}

/** `image copy REGISTRY SOURCE TARGET` */
export async function copyAction(command: Command): Promise<void> {
  const [registryName = '', source = '', target = '', ...more] = command.args;
  const given = command.optsWithGlobals<CopyFlags>();
  const flags = { ...given, tag: [...more, ...(given.tag ?? [])] };
  // What can be wrong on this side is found before the cluster is asked.
  const ends = parseEnds(source, target, flags);
  const options = usage(() => optionsOf(flags));
  await withEnds(flags, registryName, ends, async (environment, opened) => {
    const state = stateOf(flags, opened.registry ?? ends.destinationHost);
    const result = await copyShown(environment, opened, {
      ...options,
      ...hostsOf(ends, opened),
      ...(state ? { state } : {}),
    });
    writeResults(flags.result, imageResultsOf(result, hostsOf(ends, opened)));
    const text = describeCopy(result);
    await print(environment.format, { value: result, names: namesOf(result), text });
  });
}

async function copyShown(
  { log, signal }: Environment,
  { from, to }: OpenEnds,
  options: CopyOptions,
): Promise<CopyResult> {
  const view = progressView(process.stderr);
  try {
    const ways = from.route === to.route ? [to.route] : [from.route, to.route];
    const said = ways.map(({ via, reason }) => `by ${via}: ${reason}`).join('; then ');
    view.note(`Copying ${said}`);
    return await copy(from, to, { ...options, signal, log, onProgress: view.onProgress });
  } finally {
    view.close();
  }
}

function optionsOf(flags: CopyFlags): CopyOptions {
  const { platform, expectDigest, stallTimeout, retries, concurrency } = flags;
  return {
    platforms: platformsOf(platform),
    ...(expectDigest === undefined ? {} : { expectDigest: parseDigest(expectDigest) }),
    stallTimeoutMs: parsePatience(stallTimeout),
    referrers: flags.referrers ?? true,
    dryRun: flags.dryRun ?? false,
    overwrite: flags.overwrite !== 'never',
    retries,
    concurrency,
  };
}

function hostsOf(
  { destinationHost }: NamedEnds,
  { registry }: OpenEnds,
): Pick<CopyOptions, 'pushHost' | 'pullHost'> {
  // Outside the cluster everybody calls it by the same name.
  if (destinationHost !== undefined)
    return { pushHost: destinationHost, pullHost: destinationHost };
  const { pushHost, pullHost } = registry?.status ?? {};
  return { pushHost, pullHost };
}

function describeCopy(result: CopyResult): string {
  const { dryRun, source, previousDigest, digest, tags, referrers } = result;
  const plan = dryRun ? [describePlan(result), ''] : [];
  const lines = [
    ...plan,
    describeTransfer(result, `${dryRun ? 'Would copy' : 'Copied'} ${source} to`),
  ];
  if (referrers.length > 0) {
    const bytes = referrers.reduce((sum, { transferredBytes }) => sum + transferredBytes, 0);
    lines.push(`With ${referrers.length} that refer to it (${describeBytes(bytes)} travelled)`);
  }
  if (previousDigest && previousDigest !== digest) {
    lines.push(`${tags[0]} named ${previousDigest} so far`);
  }
  return lines.join('\n');
}
