import { setTimeout as delay } from 'node:timers/promises';

import type { Probe } from './objects.ts';

/** Before the first success, so that a Pod is ready soon: the API allows probes off the period. */
const eagerPeriodMs = 200;

/** What a row of probes is run for. */
export interface Probing {
  readonly probe: Probe;
  /** Asks once: why it failed, or `undefined`. */
  ask(): Promise<string | undefined>;
  /** Told when enough successes, or enough failures, came in a row. */
  onResult(isSuccess: boolean): void;
  /** Told of every failure. */
  onFailure(reason: string): void;
  /** When the container is gone. */
  readonly signal: AbortSignal;
  /** Whether it ends with the first success, as a startup probe does. */
  readonly isOnce?: boolean;
  /** Whether it may be asked off its period until it first succeeds. */
  readonly isEager?: boolean;
}

/** Asks again and again until the container is gone. */
export async function probeUntilGone(probing: Probing): Promise<void> {
  const { probe, signal } = probing;
  try {
    // A first failure counts at once: give what has only just started one period.
    const firstSeconds = probing.isEager ? 0 : (probe.periodSeconds ?? 10);
    const delaySeconds = probe.initialDelaySeconds || firstSeconds;
    await delay(delaySeconds * 1000, undefined, { signal });
    await askOn(probing);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function askOn({ probe, signal, isOnce, isEager, ...probing }: Probing): Promise<void> {
  const row = new Row(probe, isEager ?? false);
  for (;;) {
    const askedAt = Date.now();
    const reason = await probing.ask();
    if (signal.aborted) return;
    if (reason !== undefined) probing.onFailure(reason);
    const verdict = row.add(reason === undefined, askedAt);
    if (verdict !== undefined) probing.onResult(verdict);
    if (isOnce && verdict) return;
    await delay(row.pauseMs, undefined, { signal });
  }
}

/** The answers so far. */
class Row {
  readonly #probe: Probe;
  readonly #isEager: boolean;
  #successes = 0;
  #failingSince: number | undefined;
  #hasSucceeded = false;

  constructor(probe: Probe, isEager: boolean) {
    this.#probe = probe;
    this.#isEager = isEager;
  }

  get #periodMs(): number {
    return (this.#probe.periodSeconds ?? 10) * 1000;
  }

  get pauseMs(): number {
    const isEager = this.#isEager && !this.#hasSucceeded;
    return isEager ? Math.min(this.#periodMs, eagerPeriodMs) : this.#periodMs;
  }

  /** Whether it now counts as a success or as a failure; `undefined` while that is open. */
  add(isSuccess: boolean, askedAt: number): boolean | undefined {
    if (!isSuccess) return this.#fail(askedAt);
    this.#failingSince = undefined;
    this.#successes += 1;
    if (this.#successes < (this.#probe.successThreshold ?? 1)) return undefined;
    this.#hasSucceeded = true;
    return true;
  }

  /** Counted in periods, not in tries: eager tries must not use up the threshold. */
  #fail(askedAt: number): false | undefined {
    this.#successes = 0;
    this.#failingSince ??= askedAt;
    const failingMs = askedAt - this.#failingSince + this.#periodMs;
    return failingMs >= (this.#probe.failureThreshold ?? 3) * this.#periodMs ? false : undefined;
  }
}
