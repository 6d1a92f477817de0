import type { Log } from '@reposure/core';
import {
  getRegistry as findRegistry,
  openCluster,
  openOwnCluster,
} from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/route';
import type { Route, RouteChoice } from '@reposure/core/surrogate';

import { endingAfter } from './deadline.ts';
import { parseOutputFormat } from './output.ts';
import type { OutputFormat } from './output.ts';
import { ownAccess } from './own-access.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

/** What every command takes, as commander hands it over. */
export interface GlobalOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly output?: string;
  readonly verbose?: boolean;
}

/** What a command works with. */
export interface Environment {
  readonly cluster: KubernetesClient;
  readonly namespace: string;
  readonly format: OutputFormat;
  readonly log: Log;
  /** Aborted by Ctrl-C, by SIGTERM, and by `--timeout` of a transfer. */
  readonly signal: AbortSignal;
}

/** Tells on standard error: standard output is for results. */
export function logTo(verbose: boolean): Log {
  return {
    debug: verbose ? line : () => {},
    info: line,
    warn: (text) => line(`Warning: ${text}`),
  };
}

function line(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command against the cluster that the options and the environment name.
 *
 * @param options.signal Ends it; Ctrl-C and SIGTERM by default.
 */
export async function withCluster(
  options: GlobalOptions & Partial<Pick<Environment, 'signal'>>,
  work: (environment: Environment) => Promise<void>,
): Promise<void> {
  const format = parseOutputFormat(options.output);
  const log = logTo(options.verbose ?? false);
  const { signal = endingAfter(undefined) } = options;
  const cluster = await openCluster({
    // An empty one is none: a pipeline's param that was not given.
    kubeconfig: options.kubeconfig || process.env['KUBECONFIG'],
    context: options.context,
    log,
  });
  try {
    const namespace = options.namespace || cluster.namespace;
    await work({ cluster, namespace, format, log, signal });
  } finally {
    cluster.close();
  }
}

/** Reads a Registry of the namespace that was asked for. @throws as core's own. */
export function getRegistry(
  { cluster, namespace, signal }: Pick<Environment, 'cluster' | 'namespace' | 'signal'>,
  name: string,
): Promise<Registry> {
  return findRegistry(cluster, { name, namespace, signal });
}

/** What the commands that go through a route take. */
export interface RouteOptions extends GlobalOptions {
  readonly route?: RouteChoice;
  readonly execProtocol?: string;
  readonly dockerConfig?: readonly string[];
  readonly caDirectory?: string;
  /** For all of it, the way in included. */
  readonly timeout?: string;
  /** Of a command that opens two ways, whose clock runs already. */
  readonly signal?: AbortSignal;
  /** What the command does in the registry; `write` by default. */
  readonly access?: 'read' | 'write';
}

/** Runs a command on the way in to a registry, and closes it afterwards. */
export async function withRoute(
  options: RouteOptions,
  registryName: string,
  work: (
    environment: Environment & { readonly route: Route; readonly registry: Registry },
  ) => Promise<void>,
): Promise<void> {
  const { timeout, signal: ending = endingAfter(timeout) } = options;
  const own = await ownAccess(options);
  await withCluster({ ...options, signal: ending }, async (environment) => {
    const registry = await getRegistry(environment, registryName);
    const { cluster, log, signal } = environment;
    keepYoungGenerationSmall();
    const route = await openRoute({
      kubernetes: cluster,
      ownCluster: openOwnCluster,
      registry,
      route: options.route ?? 'auto',
      access: options.access,
      own,
      ...(options.execProtocol ? { protocols: [options.execProtocol] } : {}),
      log,
      signal,
    });
    try {
      await work({ ...environment, route, registry });
    } finally {
      await route.close();
    }
  });
}
