import { NotFoundError, TimeoutError } from '@reposure/core';
import type { Log, OnProgress } from '@reposure/core';
import {
  KubernetesError,
  openCluster,
  openOwnCluster,
  resourceTypes,
} from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import { layerFinder, openImage, progressLines, push } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';

import { destinationsOf } from './inputs.ts';
import type { Inputs } from './inputs.ts';

/** What a push has of its surroundings. */
export interface PushStepOptions {
  /** As `KUBECONFIG` has it. */
  readonly kubeconfig: string | undefined;
  /** An existing folder for what must be packed or unpacked first. */
  readonly temporaryDirectory: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Pushes as the inputs say; everything of GitHub's own is in `main.ts`.
 *
 * @returns One result per repository that the tags name.
 * @throws {TimeoutError} if it takes longer than the inputs allow.
 */
export async function pushStep(
  inputs: Inputs,
  options: PushStepOptions,
): Promise<TransferResult[]> {
  const { kubeconfig, log } = options;
  const late = AbortSignal.timeout(inputs.timeout);
  const signal = AbortSignal.any([options.signal, late]);
  const cluster = await openCluster({ kubeconfig, context: inputs.context, log });
  try {
    return await pushTo(cluster, inputs, { ...options, signal });
  } catch (cause) {
    options.signal.throwIfAborted();
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
  cluster: KubernetesClient,
  inputs: Inputs,
  { temporaryDirectory, log, signal }: PushStepOptions,
): Promise<TransferResult[]> {
  const { platforms, retries } = inputs;
  const registry = await registryOf(cluster, inputs, signal);
  const { pushHost, pullHost } = registry.status ?? {};
  const hosts = [pullHost, pushHost].filter((host) => host !== undefined);
  const destinations = destinationsOf(inputs.tags, hosts);
  const way = { kubernetes: cluster, registry, route: inputs.route, ownCluster: openOwnCluster };
  const route = await openRoute({ ...way, log, signal });
  try {
    const dryRun = inputs['dry-run'];
    const settings = { pushHost, pullHost, retries, dryRun, signal, log, onProgress: linesTo(log) };
    const [only, ...others] = destinations;
    // What is not packed because one repository has it could not be sent to another.
    const layers = only && others.length === 0 ? layerFinder(route, only, settings) : undefined;
    const source = await openImage(inputs.source, {
      temporaryDirectory,
      signal,
      log,
      ...(platforms ? { platforms } : {}),
      ...(layers ? { findLayers: layers.findLayers } : {}),
    });
    try {
      log.info(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
      const results: TransferResult[] = [];
      for (const destination of destinations) {
        results.push(await push(route, source, destination, { ...settings, layers }));
      }
      return results;
    } finally {
      await source.close();
    }
  } finally {
    await route.close();
  }
}

async function registryOf(
  cluster: KubernetesClient,
  { registry: name, namespace = cluster.namespace }: Inputs,
  signal: AbortSignal,
): Promise<Registry> {
  try {
    const registry = await cluster.find<Registry>(resourceTypes.Registry, name, namespace, signal);
    if (registry) return registry;
  } catch (error) {
    // Nor is there one where nobody has installed the operator.
    if (!(error instanceof KubernetesError) || !error.isNotFound) throw error;
  }
  throw new NotFoundError(
    `Cannot find registry "${name}" in namespace "${namespace}" at ${cluster.server}; the inputs "registry", "namespace" and "context" name it, \`reposure registry create\` makes one`,
  );
}

function linesTo(log: Log): OnProgress {
  const lineOf = progressLines();
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) log.info(line);
  };
}
