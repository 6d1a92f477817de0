import { resolve } from 'node:path';

import { forInputs, hostRun, linesTo, withCluster, withRoute } from '@reposure/action-shared';
import type { Action, Done, Step } from '@reposure/action-shared';
import { describeBytes, describeDuration } from '@reposure/core';
import { holdsOneImage, isStoreKind, openSink, parseLocation } from '@reposure/core/content';
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
  cancelled: 'nothing half-done is visible',
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
        tables: [{ columns, rows: [rowOf(inputs, result)] }],
      },
    };
  },
};

const columns = ['Image', 'To', 'Digest', 'Platforms', 'Size', 'Received', 'Time', 'Route'];

async function pullBy(
  route: Route,
  registry: Registry,
  { image, to, unpack, ...inputs }: Inputs,
  { folder, log, signal }: Step,
): Promise<TransferResult> {
  const { pushHost, pullHost } = registry.status ?? {};
  // Of an index, what can hold one image takes the one that this runner would run.
  const holdsOne = unpack || holdsOneImage(parseLocation(to).kind);
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
  if (unpack) {
    const unpacking = { ...options, temporaryDirectory: folder };
    return await forInputs(['image', 'to'], () => pullUnpacked(route, image, to, unpacking));
  }
  const opening = { temporaryDirectory: folder, run: hostRun(log), signal };
  const sink = await forInputs(['to'], () => openSink(to, opening));
  return await forInputs(['image'], () => pull(route, image, sink, options));
}

function pathOf({ to, unpack }: Inputs): string {
  if (unpack) return resolve(to);
  const { kind, path } = parseLocation(to);
  return isStoreKind(kind) ? '' : resolve(path);
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
