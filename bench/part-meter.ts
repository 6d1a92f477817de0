import { allPids, forgetPeakOf, parseStat, peakBytesOf, procFile } from './processes.ts';

/** Says which part of the system a process is, or nothing. */
export type PartOf = (pid: number) => string | undefined;

const newOnesEveryMs = 400;
const lookEveryMs = 50;

/** What the processes of one part have used. */
export interface PartUse {
  readonly cpuSeconds: number;
  /** Of the one that held the most. */
  readonly peakBytes: number;
}

interface KnownProcess {
  readonly part: string;
  readonly firstSeconds: number;
  lastSeconds: number;
  peakBytes: number;
}

/** Watches programs that the bench did not start: those of a cluster, on this machine. */
export class PartMeter implements Disposable {
  readonly #partOf: PartOf;
  readonly #known = new Map<number, KnownProcess>();
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(partOf: PartOf) {
    this.#partOf = partOf;
    this.#find(true);
    this.#timers = [
      setInterval(() => this.#find(false), newOnesEveryMs),
      // Some live for one transfer only, and what they used goes with them.
      setInterval(() => this.#look(), lookEveryMs),
    ];
  }

  /** What each part has used since this was made. */
  totals(): ReadonlyMap<string, PartUse> {
    this.#look();
    const totals = new Map<string, PartUse>();
    for (const { part, firstSeconds, lastSeconds, peakBytes } of this.#known.values()) {
      const sofar = totals.get(part) ?? { cpuSeconds: 0, peakBytes: 0 };
      totals.set(part, {
        cpuSeconds: sofar.cpuSeconds + lastSeconds - firstSeconds,
        peakBytes: Math.max(sofar.peakBytes, peakBytes),
      });
    }
    return totals;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** What was there before counts from now on, and what comes later from its start on. */
  #find(isFirst: boolean): void {
    for (const pid of allPids()) {
      const part = this.#known.has(pid) ? undefined : this.#partOf(pid);
      if (part === undefined) continue;
      if (isFirst) forgetPeakOf(pid);
      const lastSeconds = secondsOf(pid);
      const firstSeconds = isFirst ? lastSeconds : 0;
      this.#known.set(pid, { part, firstSeconds, lastSeconds, peakBytes: peakBytesOf(pid) });
    }
  }

  #look(): void {
    for (const [pid, process] of this.#known) {
      process.lastSeconds = Math.max(process.lastSeconds, secondsOf(pid));
      process.peakBytes = Math.max(process.peakBytes, peakBytesOf(pid));
    }
  }
}

function secondsOf(pid: number): number {
  return parseStat(procFile(pid, 'stat'))?.own ?? 0;
}

/** The parts of a real cluster whose only node is this machine; `pod` is the surrogate's UID. */
export function partsOfNode(pod: string): PartOf {
  const spellings = [pod, pod.replaceAll('-', '_')];
  return (pid) => {
    const name = procFile(pid, 'comm').trim();
    if (name === 'kube-apiserver' || name === 'kubelet') return name;
    if (name.startsWith('containerd')) return 'containerd';
    // A peer's tunnel, which is no part of the cluster, and costs all the same.
    if (name === 'kubectl' && isOurs(pid)) return 'port-forward';
    const groups = procFile(pid, 'cgroup');
    return spellings.some((text) => groups.includes(text)) ? 'surrogate' : undefined;
  };
}

/** The surrogate in the embedded cluster, whose Pods are processes of this one. */
export const partsOfEmbedded: PartOf = (pid) =>
  procFile(pid, 'cmdline').includes('bin/reposure-surrogate') && isOurs(pid)
    ? 'surrogate'
    : undefined;

/** Whether this process has started it. */
function isOurs(pid: number): boolean {
  return procFile(pid, 'status').includes(`\nPPid:\t${process.pid}\n`);
}
