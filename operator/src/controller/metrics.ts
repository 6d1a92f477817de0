import type { ApiAnswer } from '@reposure/core/kubernetes';
import type { Condition } from '@reposure/core/resource';
import { Counter, Gauge, Histogram, Registry as MetricRegistry } from 'prom-client';

import type { RegistryKey } from './registry-key.ts';

/** From what needs only a few reads, to a surrogate that does not answer. */
const secondsBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15];

type Ready = Condition['status'];

/**
 * What the operator counts, for Prometheus.
 *
 * No label holds the name of a Registry, or of anything else that people make.
 */
export class Metrics {
  readonly #all = new MetricRegistry();
  readonly #registers = [this.#all];
  readonly #reconciles = new Counter({
    name: 'reposure_reconciles_total',
    help: 'Looks at a Registry, by how they ended.',
    labelNames: ['result'],
    registers: this.#registers,
  });
  readonly #seconds = new Histogram({
    name: 'reposure_reconcile_seconds',
    help: 'How long a look at a Registry took.',
    buckets: secondsBuckets,
    registers: this.#registers,
  });
  readonly #retries = new Counter({
    name: 'reposure_retries_total',
    help: 'Registries that were put back into the queue after a failure.',
    registers: this.#registers,
  });
  readonly #leader = new Gauge({
    name: 'reposure_leader',
    help: '1 while this operator holds the Lease.',
    registers: this.#registers,
  });
  readonly #requests = new Counter({
    name: 'reposure_api_requests_total',
    help: 'Answers of the Kubernetes API; code 0 for a request that was lost.',
    labelNames: ['method', 'code'],
    registers: this.#registers,
  });
  readonly #ready = new Map<RegistryKey, Ready>();

  constructor() {
    for (const result of ['success', 'error']) this.#reconciles.inc({ result }, 0);
    const ready = this.#ready;
    this.#gauge('reposure_registries', 'Registries, by their condition Ready.', {
      labelNames: ['ready'],
      collect() {
        const states = [...ready.values()];
        for (const state of ['True', 'False', 'Unknown']) {
          this.set({ ready: state }, states.filter((each) => each === state).length);
        }
      },
    });
  }

  /** Counts an answer of the API. */
  answered({ method, status }: ApiAnswer): void {
    this.#requests.inc({ method, code: status });
  }

  /** Counts a look at a Registry. */
  reconciled(result: 'success' | 'error', seconds: number): void {
    this.#reconciles.inc({ result });
    this.#seconds.observe(seconds);
  }

  /** Counts a Registry that goes back into the queue. */
  retried(): void {
    this.#retries.inc();
  }

  /** Says whether this operator leads. */
  leads(isLeading: boolean): void {
    this.#leader.set(isLeading ? 1 : 0);
  }

  /** Says how a Registry is; `undefined` for one that is gone, or somebody else's. */
  show(key: RegistryKey, ready: Ready | undefined): void {
    if (ready === undefined) this.#ready.delete(key);
    else this.#ready.set(key, ready);
  }

  /** Says where to read how many Registries wait for a worker. */
  watchQueue(depth: () => number): void {
    this.#gauge('reposure_queue_depth', 'Registries that wait for a worker.', {
      collect() {
        this.set(depth());
      },
    });
  }

  /** Everything, in the text format of Prometheus. */
  async text(): Promise<string> {
    return this.#all.metrics();
  }

  #gauge(
    name: string,
    help: string,
    more: {
      readonly labelNames?: string[];
      readonly collect: (this: Gauge) => void;
    },
  ): void {
    // Registered by being made.
    void new Gauge({ name, help, registers: this.#registers, ...more });
  }
}
