import type { Writable } from 'node:stream';

import { InputError } from '@reposure/core';
import { holdsOneImage, openSink, parseLocation } from '@reposure/core/content';
import { hostPlatform, parsePlatform } from '@reposure/core/oci';
import type { Platform, Target } from '@reposure/core/oci';
import type { Route } from '@reposure/core/surrogate';
import {
  imageResultsOf,
  parseImageName,
  pull,
  pullFile,
  pullUnpacked,
} from '@reposure/core/transfer';
import type { PullOptions, TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import type { ProgressView } from '../progress-view.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';
import { describeTransfer, namesOf, parsePatience, usage } from './transfer.ts';
import type { TransferFlags } from './transfer.ts';

interface PullFlags extends RouteOptions, TransferFlags {
  readonly to?: string;
  readonly unpack?: boolean;
  readonly platform?: string;
  readonly result?: ResultFiles;
}

/** What is pulled, by which way, and how that is said. */
interface Pulling {
  readonly route: Route;
  readonly target: Target;
  readonly options: PullOptions;
  /** Says, before anything travels, where the image ends up. */
  readonly announce: (place: string) => void;
  /** Ends what shows the progress, before anything else is printed. */
  readonly endProgress: () => void;
  /** The same, and writes what was asked for to files. */
  readonly done: (result: TransferResult) => void;
}

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
  await withRoute({ ...flags, access: 'read' }, registryName, async (environment) => {
    const view = progressView(process.stderr);
    try {
      const pulling = pullingOf(flags, { target, platform }, environment, view);
      if (flags.unpack) await unpackTo(flags.to, pulling, environment);
      else await archiveTo(to, pulling, environment);
    } finally {
      view.close();
    }
  });
}

function pullingOf(
  flags: PullFlags,
  { target, platform }: { readonly target: Target; readonly platform: Platform | undefined },
  { route, registry, log, signal }: Parameters<Parameters<typeof withRoute>[2]>[0],
  view: ProgressView,
): Pulling {
  const { pushHost, pullHost } = registry.status ?? {};
  const options: PullOptions = {
    platform,
    pushHost,
    pullHost,
    signal,
    log,
    retries: flags.retries,
    concurrency: flags.concurrency,
    stallTimeoutMs: parsePatience(flags.stallTimeout),
    onProgress: view.onProgress,
  };
  return {
    route,
    target,
    options,
    announce: (place) => view.note(`Pulling to ${place} by ${route.via}: ${route.reason}`),
    endProgress: () => view.close(),
    done: (result) => {
      view.close();
      writeResults(flags.result, imageResultsOf(result, { pushHost, pullHost }));
    },
  };
}

function isToStdout(place: string): boolean {
  return /^(?:oci|docker)-archive:-$/.test(place);
}

async function archiveTo(
  to: string,
  { route, target, options, announce, done }: Pulling,
  { format, signal, log }: Environment,
): Promise<void> {
  // What `docker load` and `podman load` read from a pipe.
  const place = to === '-' ? 'docker-archive:-' : to;
  const sink = await openSink(place, { stdout: process.stdout, signal });
  const isStream = isToStdout(place);
  const named = isStream ? standardOutput : to;
  announce(named);
  // Of an index, what can hold one image takes the one that this machine would run.
  const onePlatform = holdsOneImage(parseLocation(place).kind) ? hostPlatform() : undefined;
  const result = await pull(route, target, sink, { ...options, onePlatform });
  done(result);
  const text = describeTransfer(result, `Pulled to ${named}:`);
  // Standard output carries the archive.
  if (isStream) log.info(text);
  else await print(format, { value: result, names: namesOf(result), text });
}

async function unpackTo(
  to: string | undefined,
  pulling: Pulling,
  { format }: Environment,
): Promise<void> {
  const { route, target, announce, done } = pulling;
  const options = { ...pulling.options, onePlatform: hostPlatform() };
  if (to === undefined || to === '-') {
    announce(standardOutput);
    const output = (): Writable => {
      pulling.endProgress();
      return process.stdout;
    };
    done(await pullFile(route, target, output, options));
    return;
  }
  announce(to);
  const result = await pullUnpacked(route, target, to, options);
  done(result);
  const text = describeTransfer(result, `Unpacked to ${to}:`);
  await print(format, { value: result, names: namesOf(result), text });
}
