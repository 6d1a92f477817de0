import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import { operatorObjects } from '@reposure/core/install';
import type { KubernetesObject } from '@reposure/core/kubernetes';

import { runOperator } from '../../operator/src/controller/operator.ts';
import type { OperatorOptions } from '../../operator/src/controller/operator.ts';

/** An operator in this process, which works with whatever rights its client has. */
export interface InProcessOperator {
  /** What it logged, line by line, and how it ended if it failed. */
  readonly said: readonly string[];
  stop(): Promise<void>;
}

type Chosen = Omit<OperatorOptions, 'address' | 'port' | 'log' | 'signal'>;

/** Starts an operator, with its probes on a port of the system's choice. */
export function startInProcessOperator(options: Chosen): InProcessOperator {
  const said: string[] = [];
  const keep = (line: string): void => {
    said.push(line);
  };
  const log: Log = { debug: keep, info: keep, warn: keep };
  const stop = new AbortController();
  const around = { address: '127.0.0.1', port: 0, log, signal: stop.signal };
  const running = runOperator({ ...options, ...around }).catch((error: unknown) =>
    keep(`Failed: ${explain(error)}`),
  );
  return {
    said,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

/** An image that no node has: Pods of it cost nothing, and everything around them is made. */
export const missingImage = 'example.test/reposure/missing:1';

/**
 * The Deployment of an operator, without a Pod: it says that a namespace has one of its own, so that
 * one for all namespaces, which another suite may install in the same cluster, leaves it alone.
 */
export function operatorPlaceholder(namespace: string): KubernetesObject[] {
  const objects = operatorObjects({ namespace, image: missingImage, replicas: 0 });
  return objects.filter(({ kind }) => kind === 'Deployment');
}
