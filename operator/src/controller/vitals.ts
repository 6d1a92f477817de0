import type { Check } from './health-server.ts';

/** Six turns at the lease: whoever misses so many hangs. */
const turnWithinMs = 60_000;

/** What the probes ask about. */
export interface Vitals {
  /** The lease was looked at. */
  readonly turned: () => void;
  /** Registries are known. */
  readonly synced: () => void;
  /** This operator leads. */
  readonly leading: () => void;
  readonly live: Check;
  readonly ready: Check;
}

/** Keeps what the probes ask about. A stand-by is ready, too: it does what it should. */
export function makeVitals(nowMs: () => number = () => performance.now()): Vitals {
  let turnedAtMs = nowMs();
  let hasTurned = false;
  let isLeading = false;
  let isSynced = false;
  return {
    turned: () => {
      [turnedAtMs, hasTurned] = [nowMs(), true];
    },
    synced: () => {
      isSynced = true;
    },
    leading: () => {
      isLeading = true;
    },
    live: () =>
      nowMs() - turnedAtMs > turnWithinMs ? 'has not looked at its lease for a minute' : undefined,
    ready: () => {
      if (!hasTurned) return 'has not looked at its lease yet';
      return isLeading && !isSynced ? 'has not listed the Registries yet' : undefined;
    },
  };
}
