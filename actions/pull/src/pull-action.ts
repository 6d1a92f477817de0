import { resolve } from 'node:path';

import { hostRun, linesTo, withCluster, withRoute } from '@reposure/action-shared';
import type { Action, Done, Step } from '@reposure/action-shared';
import { describeBytes, describeDuration } from '@reposure/core';
import { openSink, parseLocation } from '@reposure/core/content';
import { describeReference, hostPlatform } from '@reposure/core/oci';
import type { Registry } from '@reposure/core/resource';
import type { Route } from '@reposure/core/surrogate';
import { pull, pullUnpacked } from '@reposure/core/transfer';
import type { PullOptions, TransferResult } from '@reposure/core/transfer';

import { Inputs } from './inputs.ts';

/** `actions/pull` */
export const pullAction: Action<Inputs> = {
  name: 'pull',
  title: 'Pull',
  inputs: Inputs,
  subjects: ({ image }) => [describeReference(image)],
  main: async (inputs, step): Promise<Done> => {
    const result = await withCluster(inputs, step, (cluster, signal) =>
      withRoute(inputs, cluster, { ...step, access: 'read', signal }, (route, registry) =>
        step.group('Pull', () => pullBy(route, registry, inputs, { ...step, signal })),
      ),
    );
    return {
      outputs: { digest: result.digest, path: pathOf(inputs) },
      summary: {
        heading: 'Pulled image',
        columns: ['Image', 'To', 'Digest', 'Platforms', 'Size', 'Received', 'Time', 'Route'],
        rows: [rowOf(inputs, result)],
      },
    };
  },
};

async function pullBy(
  route: Route,
  registry: Registry,
  { image, to, unpack, ...inputs }: Inputs,
  { folder, log, signal }: Step,
): Promise<TransferResult> {
  const { pushHost, pullHost } = registry.status ?? {};
  const { kind } = parseLocation(to);
  // Of an index, what can hold one image takes the one that this runner would run.
  const holdsOne = unpack || /^(?:docker-|containers-)/.test(kind);
  const options: PullOptions = {
    pushHost,
    pullHost,
    platform: inputs.platform,
    onePlatform: holdsOne ? hostPlatform() : undefined,
    retries: inputs.retries,
    stallTimeoutMs: inputs['stall-timeout'],
    signal,
    log,
    onProgress: linesTo(log),
  };
  log.info(`Pulling ${describeReference(image)} to ${to} by ${route.via}: ${route.reason}`);
  if (unpack)
    return await pullUnpacked(route, image, to, { ...options, temporaryDirectory: folder });
  const sink = await openSink(to, { temporaryDirectory: folder, run: hostRun(log), signal });
  return await pull(route, image, sink, options);
}

function pathOf({ to, unpack }: Inputs): string {
  if (unpack) return resolve(to);
  const { kind, path } = parseLocation(to);
  return kind === 'docker-daemon' || kind === 'containers-storage' ? '' : resolve(path);
}

function rowOf({ image, to }: Inputs, result: TransferResult): string[] {
  const { bytes, digest, durationMs, platforms, route } = result;
  return [
    describeReference(image),
    to,
    digest,
    platforms.map(({ platform }) => platform).join(', ') || '–',
    describeBytes(bytes.total),
    describeBytes(bytes.transferred),
    describeDuration(durationMs),
    route.via,
  ];
}
