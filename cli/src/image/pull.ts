import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { InputError } from '@reposure/core';
import {
  assertUnpackable,
  openSink,
  openSource,
  singleFileOf,
  unpack,
} from '@reposure/core/content';
import type { Sink } from '@reposure/core/content';
import { hostPlatform, parsePlatform } from '@reposure/core/oci';
import type { Platform, Target } from '@reposure/core/oci';
import { parseImageName, pull } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import type { ProgressView } from '../progress-view.ts';
import { deadline, describeTransfer, namesOf, usage } from './transfer.ts';
import type { TransferFlags } from './transfer.ts';

interface PullFlags extends RouteOptions, TransferFlags {
  readonly to?: string;
  readonly unpack?: boolean;
  readonly platform?: string;
}

/** @param place Where the image ends up, for a person. */
type Fetch = (sink: Sink, place: string, platform?: Platform) => Promise<TransferResult>;

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
  const { to = '-' } = flags;
  const goesToStdout = to === '-' || (!flags.unpack && to.endsWith(':-'));
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
  await withRoute(flags, registryName, async (environment) => {
    const view = progressView(process.stderr);
    try {
      const fetch = fetcher(flags, target, environment, view);
      if (flags.unpack) await unpackTo(flags.to, platform, fetch, environment);
      else await archiveTo(flags.to ?? '-', platform, fetch, environment);
    } finally {
      view.close();
    }
  });
}

function fetcher(
  flags: PullFlags,
  target: Target,
  { route, registry, log, signal: interrupted }: Parameters<Parameters<typeof withRoute>[2]>[0],
  view: ProgressView,
): Fetch {
  const signal = deadline(interrupted, flags.timeout);
  const { pushHost, pullHost } = registry.status ?? {};
  return async (sink, place, platform) => {
    view.note(`Pulling to ${place} by ${route.via}: ${route.reason}`);
    const result = await pull(route, target, sink, {
      platform,
      pushHost,
      pullHost,
      signal,
      log,
      retries: flags.retries,
      concurrency: flags.concurrency,
      onProgress: view.onProgress,
    });
    view.close();
    return result;
  };
}

async function archiveTo(
  to: string,
  platform: Platform | undefined,
  fetch: Fetch,
  { format, signal, log }: Environment,
): Promise<void> {
  // What `docker load` and `podman load` read from a pipe.
  const place = to === '-' ? 'docker-archive:-' : to;
  const sink = await openSink(place, { stdout: process.stdout, signal });
  // A docker archive holds one image: of an index, the one that this machine would run.
  const isDocker = place.startsWith('docker-archive:');
  const isStream = place.endsWith(':-');
  const named = isStream ? standardOutput : to;
  const chosen = platform ?? (isDocker ? hostPlatform() : undefined);
  const result = await fetch(sink, named, chosen);
  const text = describeTransfer(result, `Pulled to ${named}:`);
  // Standard output carries the archive.
  if (isStream) log.info(text);
  else await print(format, { value: result, names: namesOf(result), text });
}

async function unpackTo(
  to: string | undefined,
  platform: Platform | undefined,
  fetch: Fetch,
  { format, signal, log }: Environment,
): Promise<void> {
  const isFolder = to !== undefined && to !== '-';
  // Before anything travels.
  if (isFolder) await assertUnpackable(to);
  const temporary = await mkdtemp(join(tmpdir(), 'reposure-pull-'));
  try {
    const layout = `oci:${join(temporary, 'layout')}`;
    const result = await fetch(
      await openSink(layout, { signal }),
      isFolder ? to : standardOutput,
      platform ?? hostPlatform(),
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
    await rm(temporary, { recursive: true, force: true });
  }
}
