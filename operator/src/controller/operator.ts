import type { Log } from '@reposure/core';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import { runController } from './controller.ts';
import { askSurrogate } from './health-probe.ts';
import { startHealthServer } from './health-server.ts';
import { lead } from './leader.ts';
import { keepSimple } from './simple-keeper.ts';
import { makeVitals } from './vitals.ts';

/** What an operator runs with. */
export interface OperatorOptions {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  readonly image: string;
  /** Where to serve `/livez` and `/readyz`. */
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
  const vitals = makeVitals();
  const server = await startHealthServer(options, vitals);
  try {
    await lead({ ...options, onTurn: vitals.turned }, async (signal) => {
      vitals.leading();
      await Promise.all([
        runController({ ...options, signal, askSurrogate, onSynced: vitals.synced }),
        keepSimple({ ...options, signal }),
      ]);
    });
  } finally {
    await server.close();
  }
}
