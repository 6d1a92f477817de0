import { availableParallelism } from 'node:os';

import { median, medianRatio } from './arithmetic.ts';
import type { Bar } from './arithmetic.ts';
import type { Comparison } from './bench.ts';
import { GiB } from './images.ts';
import { runsOf } from './rounds.ts';
import type { Run, Standings } from './rounds.ts';

// What is promised, by what has been measured.

/** How long one takes, of what another takes. */
export function timeBar(
  { title, standings }: Comparison,
  [ours, theirs]: readonly [string, string],
  atMost: number,
): Bar {
  return {
    what: `${title}: time of ${ours}, of ${theirs}'s`,
    actual: medianRatio(secondsOf(standings, ours), secondsOf(standings, theirs)),
    atBest: medianRatio(leastSecondsOf(standings, ours), secondsOf(standings, theirs)),
    limit: { atMost },
  };
}

/** How fast one is, of how fast another is. @param bare Who goes the same way, and does nothing else. */
export function rateBar(
  { title, standings }: Comparison,
  [ours, theirs, bare]: readonly [ours: string, theirs: string, bare?: string],
  atLeast: number,
): Bar {
  const theirSeconds = secondsOf(standings, theirs);
  return {
    what: `${title}: rate of ${ours}, of ${theirs}'s`,
    actual: medianRatio(theirSeconds, secondsOf(standings, ours)),
    atBest: medianRatio(theirSeconds, leastSecondsOf(standings, ours)),
    ...(bare && { bare: medianRatio(theirSeconds, secondsOf(standings, bare)) }),
    limit: { atLeast },
  };
}

/** Whose processor's time it is: of the client with its start, or of one part of the cluster. */
export interface Spender {
  readonly name: string;
  readonly part?: string;
}

/** Processor's time for each GiB. @param bare Who does what cannot be left out, and nothing else. */
export function cpuBar(
  { title, standings, bytes = Number.NaN }: Comparison,
  [ours, bare]: readonly [ours: Spender, bare: Spender],
  atMost: number,
): Bar {
  const spentBy = ({ name, part }: Spender): number => {
    const spent = ({ cpuSeconds, parts }: Run): number =>
      part === undefined ? cpuSeconds : (parts.get(part)?.cpuSeconds ?? Number.NaN);
    return (median(runsOf(standings, name).map(spent)) * GiB) / bytes;
  };
  return {
    what: `${title}: CPU of ${ours.part ? `the ${ours.part}, ` : ''}${ours.name}`,
    actual: spentBy(ours),
    bare: spentBy(bare),
    limit: { atMost },
    unit: 's/GiB',
  };
}

/** The most memory in any run. */
export function memoryBar(
  { title, standings }: Comparison,
  { name, part }: { readonly name: string; readonly part?: string },
  atMostBytes: number,
): Bar {
  const held = ({ peakBytes, parts }: Run): number =>
    part === undefined ? peakBytes : (parts.get(part)?.peakBytes ?? Number.NaN);
  return {
    what: `${title}: memory of ${part ? `the ${part}, ` : ''}${name}`,
    actual: Math.max(...runsOf(standings, name).map(held)) / 1e6,
    limit: { atMost: atMostBytes / 1e6 },
    unit: 'MB',
  };
}

/** What each round would have taken, had all cores shared its work, and none ever waited. */
function leastSecondsOf(standings: Standings, name: string): readonly number[] {
  const cores = availableParallelism();
  return runsOf(standings, name).map(({ machineCpuSeconds }) => machineCpuSeconds / cores);
}

/** Wall seconds of each round. */
export function secondsOf(standings: Standings, name: string): readonly number[] {
  return runsOf(standings, name).map(({ seconds }) => seconds);
}
