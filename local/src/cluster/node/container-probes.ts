import type { ChildProcess } from 'node:child_process';

import type { Happening } from './event-recorder.ts';
import type { Container, ContainerStatus, Probe } from './objects.ts';
import { probeUntilGone } from './probe-worker.ts';
import type { Probing } from './probe-worker.ts';
import { ask } from './probe.ts';

/** One run of a container, as its probes see it. */
export interface Probed {
  readonly container: Container;
  readonly podIp: string;
  /** Its `ready` and `started` are set here. */
  readonly status: ContainerStatus;
  /** Given when the process is gone. */
  readonly signal: AbortSignal;
  start(command: readonly string[]): Promise<ChildProcess>;
  readonly record: (happening: Happening) => void;
  readonly onChange: () => void;
  /** The container is to be ended, and started again where its Pod says so. */
  readonly onDead: () => void;
}

/** The startup, readiness and liveness probes of one run of a container. */
export class ContainerProbes {
  readonly #probed: Probed;
  #isKilled = false;

  constructor(probed: Probed) {
    this.#probed = probed;
  }

  /** Starts them; the process being gone ends them. */
  start(): void {
    const { startupProbe } = this.#probed.container;
    if (!startupProbe) return this.#started();
    this.#run('Startup', startupProbe, {
      isOnce: true,
      isEager: true,
      onResult: (isSuccess) => (isSuccess ? this.#started() : this.#kill('startup')),
    });
  }

  #started(): void {
    const { container, status, onChange } = this.#probed;
    status.started = true;
    const { readinessProbe, livenessProbe } = container;
    if (readinessProbe) {
      const onResult = (isReady: boolean): void => this.#setReady(isReady);
      this.#run('Readiness', readinessProbe, { onResult, isEager: true });
    } else status.ready = true;
    if (livenessProbe) {
      const onResult = (isAlive: boolean): void => {
        if (!isAlive) this.#kill('liveness');
      };
      this.#run('Liveness', livenessProbe, { onResult });
    }
    onChange();
  }

  #setReady(isReady: boolean): void {
    const { status, onChange } = this.#probed;
    if (status.ready === isReady) return;
    status.ready = isReady;
    onChange();
  }

  #kill(probe: string): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    const { container, record, onDead } = this.#probed;
    const message = `Container ${container.name} failed ${probe} probe, will be restarted`;
    record({ reason: 'Killing', message });
    onDead();
  }

  #run(name: string, probe: Probe, then: Pick<Probing, 'isOnce' | 'isEager' | 'onResult'>): void {
    const { signal, record } = this.#probed;
    void probeUntilGone({
      ...then,
      probe,
      signal,
      ask: () => ask(this.#probed, probe),
      onFailure: (reason) => {
        record({
          type: 'Warning',
          reason: 'Unhealthy',
          message: `${name} probe failed: ${reason}`,
        });
      },
    });
  }
}
