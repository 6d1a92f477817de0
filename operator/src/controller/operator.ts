import type { Log } from '@reposure/core';
import type { ImagePull } from '@reposure/core/install';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import { runController } from './controller.ts';
import { surrogateAsker } from './health-probe.ts';
import { startHealthServer } from './health-server.ts';
import { lead } from './leader.ts';
import { Metrics } from './metrics.ts';
import { keepSimple } from './simple-keeper.ts';
import { makeVitals } from './vitals.ts';

/** What an operator runs with. */
export interface OperatorOptions {
  readonly kubernetes: KubernetesClient;
  /** Its own: where its Lease is. */
  readonly namespace: string;
  /** Serve all namespaces but those that have an operator of their own; else its own alone. */
  readonly allNamespaces?: boolean | undefined;
  readonly image: string;
  readonly metrics?: Metrics | undefined;
  /** How nodes come by that image. */
  readonly pull?: ImagePull | undefined;
  /** Where to serve `/livez`, `/readyz` and `/metrics`. */
  readonly address: string;
  readonly port: number;
  readonly identity: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Serves the probes, waits for the lease, and reconciles until the signal.
 *
 * @throws {LeadershipLostError} if another operator may lead: the process must end.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { metrics = new Metrics() } = options;
  const vitals = makeVitals();
  const told = { ...vitals, metrics: () => metrics.text() };
  const server = await startHealthServer(options, told);
  try {
    await lead({ ...options, onTurn: vitals.turned }, async (signal) => {
      vitals.leading();
      metrics.leads(true);
      await Promise.all([
        runController({
          ...options,
          signal,
          metrics,
          askSurrogate: surrogateAsker(),
          onSynced: vitals.synced,
        }),
        keepSimple({ ...options, signal }),
      ]);
    });
  } finally {
    metrics.leads(false);
    await server.close();
  }
}
