import { NotFoundError, TimeoutError } from '@reposure/core';
import type { Log } from '@reposure/core';
import { openSource } from '@reposure/core/content';
import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import { push } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';

import { destinationsOf } from './inputs.ts';
import type { Inputs } from './inputs.ts';

/** Pushes as the inputs say; everything of GitHub's own is in `main.ts`. */
export async function pushStep(
  inputs: Inputs,
  options: {
    readonly kubeconfig: string | undefined;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<TransferResult[]> {
  const { kubeconfig, log } = options;
  const late = AbortSignal.timeout(inputs.timeout);
  const signal = AbortSignal.any([options.signal, late]);
  const cluster = await openCluster({ kubeconfig, context: inputs.context, log });
  try {
    const namespace = inputs.namespace ?? cluster.namespace;
    const registry = await cluster.find<Registry>(
      resourceTypes.Registry,
      inputs.registry,
      namespace,
      signal,
    );
    if (!registry) {
      throw new NotFoundError(
        `Cannot find registry "${inputs.registry}" in namespace "${namespace}"; the inputs "registry" and "namespace" name it`,
      );
    }
    return await pushTo(registry, inputs, { cluster, log, signal });
  } catch (cause) {
    if (!late.aborted) throw cause;
    throw new TimeoutError(
      `Cannot push within ${inputs.timeout / 1000} s; the input "timeout" gives it longer`,
      { cause },
    );
  } finally {
    cluster.close();
  }
}

async function pushTo(
  registry: Registry,
  inputs: Inputs,
  {
    cluster,
    log,
    signal,
  }: { cluster: Awaited<ReturnType<typeof openCluster>>; log: Log; signal: AbortSignal },
): Promise<TransferResult[]> {
  const { pushHost, pullHost } = registry.status ?? {};
  const hosts = [pullHost, pushHost].filter((host) => host !== undefined);
  const destinations = destinationsOf(inputs.tags, hosts);
  const { source: from, platforms } = inputs;
  const source = await openSource(from, { signal, log, ...(platforms ? { platforms } : {}) });
  try {
    const route = await openRoute({
      kubernetes: cluster,
      registry,
      route: inputs.route,
      log,
      signal,
    });
    try {
      log.info(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
      const results: TransferResult[] = [];
      for (const destination of destinations) {
        const settings = {
          pushHost,
          pullHost,
          signal,
          log,
          retries: inputs.retries,
          dryRun: inputs['dry-run'],
        };
        const onProgress = progressLines(log);
        results.push(await push(route, source, destination, { ...settings, onProgress }));
      }
      return results;
    } finally {
      await route.close();
    }
  } finally {
    await source.close();
  }
}

function progressLines(log: Log): NonNullable<Parameters<typeof push>[3]>['onProgress'] & {} {
  return (event) => {
    if (event.type === 'finished') {
      const { digest, size } = event.descriptor;
      log.info(`${digest.slice(7, 19)}  ${event.outcome}  ${size} bytes`);
    } else if (event.type === 'retrying') {
      log.info(`${event.what}: again in ${event.delayMs} ms: ${event.reason}`);
    }
  };
}
