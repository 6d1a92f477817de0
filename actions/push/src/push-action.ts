import {
  forInputs,
  hostRun,
  linesTo,
  remoteAccess,
  withCluster,
  withRoute,
} from '@reposure/action-shared';
import type { Action, Done, Step } from '@reposure/action-shared';
import { requireRepository } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import type { Route } from '@reposure/core/surrogate';
import { beginTransfer, isRemote, layerFinder, openImage, push } from '@reposure/core/transfer';
import type { PushOptions, TransferResult } from '@reposure/core/transfer';

import { Inputs } from './inputs.ts';
import { outputsOf } from './outputs.ts';
import { summaryOf } from './summary.ts';
import { destinationsOf } from './tags.ts';

/** `actions/push` */
export const pushAction: Action<Inputs> = {
  name: 'push',
  title: 'Push',
  inputs: Inputs,
  cancelled: 'nothing half-done is visible',
  subjects: ({ tags }) => tags,
  main: async (inputs, step): Promise<Done> => {
    const results = await withCluster(inputs, step, async (cluster, signal) => {
      const within = { ...step, signal };
      const pushed = await withRoute(
        inputs,
        cluster,
        { ...within, access: 'write' },
        (route, registry) => step.group('Push', () => pushTo({ route, registry }, inputs, within)),
      );
      if (inputs['verify-pull']) {
        const { verifyPulls } = await import('./verify-pulls.ts');
        await step.group('Verify', () => verifyPulls(cluster, pushed, inputs, within));
      }
      return pushed;
    });
    return { outputs: outputsOf(results), summary: summaryOf(results) };
  },
};

/** @returns One result per repository that the tags name. */
async function pushTo(
  { route, registry }: { readonly route: Route; readonly registry: Registry },
  inputs: Inputs,
  step: Step,
): Promise<TransferResult[]> {
  const { log, signal } = step;
  const { pushHost, pullHost } = registry.status ?? {};
  const hosts = [pullHost, pushHost].filter((host) => host !== undefined);
  const destinations = destinationsOf(inputs.tags, hosts);
  for (const { repository } of destinations) requireRepository(registry, repository, 'write');
  const settings: PushOptions = {
    pushHost,
    pullHost,
    retries: inputs.retries,
    stallTimeoutMs: inputs['stall-timeout'],
    dryRun: inputs['dry-run'],
    signal,
    log,
    onProgress: linesTo(log),
  };
  const begun = beginTransfer(settings);
  const [only, ...others] = destinations;
  // What is not packed because one repository has it could not be sent to another.
  const layers = only && others.length === 0 ? layerFinder(route, only, begun) : undefined;
  const { platforms, source: from } = inputs;
  const access = isRemote(from) ? await remoteAccess(step) : undefined;
  const source = await forInputs(['source'], () =>
    openImage(from, {
      ...begun,
      temporaryDirectory: step.folder,
      run: hostRun(log),
      ...(platforms ? { platforms } : {}),
      ...(layers ? { findLayers: layers.findLayers } : {}),
      ...(access ? { access } : {}),
    }),
  );
  try {
    log.info(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
    const results: TransferResult[] = [];
    for (const destination of destinations) {
      // The source was opened for the first one.
      const options = destination === only ? begun : settings;
      results.push(await push(route, source, destination, { ...options, layers }));
    }
    return results;
  } finally {
    await source.close();
  }
}
