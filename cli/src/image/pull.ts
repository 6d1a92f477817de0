import { pipeline } from 'node:stream/promises';

import { InputError } from '@reposure/core';
import {
  assertUnpackable,
  openSink,
  openSource,
  singleFileOf,
  TemporaryFolder,
  unpack,
} from '@reposure/core/content';
import type { Sink } from '@reposure/core/content';
import { hostPlatform, parsePlatform } from '@reposure/core/oci';
import type { Platform, Target } from '@reposure/core/oci';
import { imageResultsOf, parseImageName, pull } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import type { ProgressView } from '../progress-view.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';
import { describeTransfer, namesOf, parseDeadline, parsePatience, usage } from './transfer.ts';
import type { TransferFlags } from './transfer.ts';

interface PullFlags extends RouteOptions, TransferFlags {
  readonly to?: string;
  readonly unpack?: boolean;
  readonly platform?: string;
  readonly result?: ResultFiles;
}

/**
 * @param place Where the image ends up, for a person.
 * @param isForOne Whether only one platform can go there: of an index, the one that this machine would run.
 */
type Fetch = (sink: Sink, place: string, isForOne: boolean) => Promise<TransferResult>;

const standardOutput = 'standard output';

/** `image pull REGISTRY IMAGE` */
export async function pullAction(
  registryName: string,
  image: string,
  _: unknown,
  command: Command,
): Promise<void> {
  const flags = command.optsWithGlobals<PullFlags>();
  const target = usage(() => parseImageName(image));
  const platform = usage(() => flags.platform && parsePlatform(flags.platform)) || undefined;
  const deadline = parseDeadline(flags.timeout);
  // What is wrong with it is said before the cluster is asked.
  parsePatience(flags.stallTimeout);
  const { to = '-' } = flags;
  const goesToStdout = to === '-' || (!flags.unpack && isToStdout(to));
  if (goesToStdout && flags.output !== undefined) {
    throw new InputError(
      `Cannot print the result as ${flags.output}: standard output carries the image; want --to a file or folder`,
    );
  }
  if (goesToStdout && !flags.unpack && process.stdout.isTTY) {
    throw new InputError(
      'Cannot write an archive to a terminal; want --to oci:DIR, --to docker-archive:FILE, or a redirection',
    );
  }
  await withRoute({ ...flags, access: 'read' }, registryName, async (opened) => {
    const environment = { ...opened, signal: deadline(opened.signal) };
    const view = progressView(process.stderr);
    try {
      const fetch = fetcher(flags, { target, platform }, environment, view);
      if (flags.unpack) await unpackTo(flags.to, fetch, environment);
      else await archiveTo(to, fetch, environment);
    } finally {
      view.close();
    }
  });
}

function fetcher(
  flags: PullFlags,
  { target, platform }: { readonly target: Target; readonly platform: Platform | undefined },
  { route, registry, log, signal }: Parameters<Parameters<typeof withRoute>[2]>[0],
  view: ProgressView,
): Fetch {
  const { pushHost, pullHost } = registry.status ?? {};
  return async (sink, place, isForOne) => {
    view.note(`Pulling to ${place} by ${route.via}: ${route.reason}`);
    const result = await pull(route, target, sink, {
      platform,
      onePlatform: isForOne ? hostPlatform() : undefined,
      pushHost,
      pullHost,
      signal,
      log,
      retries: flags.retries,
      concurrency: flags.concurrency,
      stallTimeoutMs: parsePatience(flags.stallTimeout),
      onProgress: view.onProgress,
    });
    view.close();
    writeResults(flags.result, imageResultsOf(result, { pushHost, pullHost }));
    return result;
  };
}

function isToStdout(place: string): boolean {
  return /^(?:oci|docker)-archive:-$/.test(place);
}

async function archiveTo(
  to: string,
  fetch: Fetch,
  { format, signal, log }: Environment,
): Promise<void> {
  // What `docker load` and `podman load` read from a pipe.
  const place = to === '-' ? 'docker-archive:-' : to;
  const sink = await openSink(place, { stdout: process.stdout, signal });
  // A docker archive holds one image, and the daemon takes one.
  const isDocker = /^docker-(?:archive|daemon):/.test(place);
  const isStream = isToStdout(place);
  const named = isStream ? standardOutput : to;
  const result = await fetch(sink, named, isDocker);
  const text = describeTransfer(result, `Pulled to ${named}:`);
  // Standard output carries the archive.
  if (isStream) log.info(text);
  else await print(format, { value: result, names: namesOf(result), text });
}

async function unpackTo(
  to: string | undefined,
  fetch: Fetch,
  { format, signal, log }: Environment,
): Promise<void> {
  const isFolder = to !== undefined && to !== '-';
  // Before anything travels.
  if (isFolder) await assertUnpackable(to);
  const temporary = new TemporaryFolder();
  try {
    const layout = `oci:${await temporary.next()}`;
    const result = await fetch(
      await openSink(layout, { signal }),
      isFolder ? to : standardOutput,
      true,
    );
    const source = await openSource(layout, { signal, log });
    try {
      if (isFolder) {
        await unpack(source, to, { signal, log });
        await print(format, {
          value: result,
          names: namesOf(result),
          text: describeTransfer(result, `Unpacked to ${to}:`),
        });
        return;
      }
      const file = await singleFileOf(source);
      if (!file) {
        throw new InputError(
          'Cannot unpack to standard output: the image is not a single file; want --to DIR',
        );
      }
      await pipeline(file.content(), process.stdout, { end: false });
    } finally {
      await source.close();
    }
  } finally {
    await temporary.remove();
  }
}
