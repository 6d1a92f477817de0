import { InputError } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { Compression } from '@reposure/core/oci';
import { requireRepository } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import {
  beginTransfer,
  imageResultsOf,
  isRemote,
  layerFinder,
  openImage,
  parseDestination,
  parseImageName,
  push,
} from '@reposure/core/transfer';
import type { OpenImageOptions, PushOptions, TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { print } from '../output.ts';
import type { Overwrite } from '../overwrite.ts';
import { progressView } from '../progress-view.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';
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

interface PushFlags extends RouteOptions, TransferFlags {
  readonly tag?: readonly string[];
  readonly platform?: readonly string[];
  readonly fromName?: string;
  readonly cacheFrom?: readonly string[];
  readonly compression?: Compression;
  readonly compressionLevel?: number;
  readonly annotation?: readonly string[];
  readonly artifactType?: string;
  readonly srcInsecure?: boolean;
  readonly srcCa?: string;
  readonly state?: boolean;
  readonly dryRun?: boolean;
  readonly overwrite?: Overwrite;
  readonly result?: ResultFiles;
}

/** `image push REGISTRY IMAGE SOURCE` */
export async function pushAction(command: Command): Promise<void> {
  const [registryName = '', image = '', from = '', ...more] = command.args;
  const flags = command.optsWithGlobals<PushFlags>();
  // What can be wrong on this side is found before the cluster is asked.
  const destination = usage(() => parseDestination(image, [...more, ...(flags.tag ?? [])]));
  const cacheFrom = usage(() => (flags.cacheFrom ?? []).map((text) => parseImageName(text)));
  const reading = sourceOptionsOf(flags);
  if (!isRemote(from) && (flags.srcInsecure ?? flags.srcCa) !== undefined) {
    throw new InputError('Cannot use --src-insecure or --src-ca: the source is not docker://…');
  }
  const stallTimeoutMs = parsePatience(flags.stallTimeout);
  await withRoute(flags, registryName, async ({ route, registry, format, log, signal }) => {
    // Before the source is read, which may take long.
    requireRepository(registry, destination.repository, 'write');
    const view = progressView(process.stderr);
    const options = beginTransfer<PushOptions>({
      ...hostsOf(registry),
      state: stateOf(flags, registry),
      stallTimeoutMs,
      signal,
      log,
      retries: flags.retries,
      concurrency: flags.concurrency,
      onProgress: view.onProgress,
      dryRun: flags.dryRun ?? false,
      overwrite: flags.overwrite !== 'never',
    });
    try {
      const { compression } = flags;
      const layers = layerFinder(route, destination, { ...options, cacheFrom, compression });
      const { findLayers } = layers;
      const access = await accessOf(from, flags, log);
      const source = await openImage(from, { ...reading, ...options, ...access, findLayers });
      try {
        view.note(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
        const mountFrom = cacheFrom.map(({ repository }) => repository);
        const result = await push(route, source, destination, { ...options, layers, mountFrom });
        view.close();
        writeResults(flags.result, imageResultsOf(result, hostsOf(registry)));
        await print(format, { value: result, names: namesOf(result), text: describePush(result) });
      } finally {
        await source.close();
      }
    } finally {
      view.close();
    }
  });
}

/** How the registry of `docker://…` is reached; loaded only then, with the HTTP client. */
async function accessOf(
  from: string,
  { srcInsecure: insecure, srcCa: ca, dockerConfig, caDirectory }: PushFlags,
  log: Log,
): Promise<Pick<OpenImageOptions, 'access'>> {
  if (!isRemote(from)) return {};
  const { remoteAccess } = await import('./remote.ts');
  return { access: await remoteAccess({ insecure, ca, own: { dockerConfig, caDirectory } }, log) };
}

function hostsOf({ status }: Registry): Pick<PushOptions, 'pushHost' | 'pullHost'> {
  return { pushHost: status?.pushHost, pullHost: status?.pullHost };
}

function sourceOptionsOf(flags: PushFlags): OpenImageOptions {
  const { fromName, compression, compressionLevel, annotation, artifactType } = flags;
  const platforms = platformsOf(flags.platform);
  return {
    stdin: process.stdin,
    ...(platforms ? { platforms } : {}),
    ...(fromName ? { name: fromName } : {}),
    ...(compression ? { compression } : {}),
    ...(compressionLevel === undefined ? {} : { compressionLevel }),
    ...(annotation ? { annotations: annotationsOf(annotation) } : {}),
    ...(artifactType ? { artifactType } : {}),
  };
}

function annotationsOf(texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key !== undefined && value !== undefined) return [key, value] as const;
    throw new InputError(`Cannot use annotation "${text}": want KEY=VALUE`);
  });
  return Object.fromEntries(entries);
}

function describePush(result: TransferResult): string {
  if (!result.dryRun) return describeTransfer(result, 'Pushed');
  return `${describePlan(result)}\n\n${describeTransfer(result, 'Would push')}`;
}
