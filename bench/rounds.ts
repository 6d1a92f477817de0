import { measure } from './measure.ts';
import type { Command, Measured } from './measure.ts';
import { PartMeter } from './part-meter.ts';
import type { PartOf, PartUse } from './part-meter.ts';

/** One of those that do the same work. */
export interface Contestant {
  readonly name: string;
  /** What it does in this round; the work must not have been done before. */
  readonly command: (round: number) => Command | Promise<Command>;
  /** Looks whether the work has been done, and clears up. @throws if it has not. */
  readonly check?: (round: number) => Promise<void>;
}

/** One round of one contestant. */
export interface Run extends Measured {
  /** The cluster's parts, where they can be seen. */
  readonly parts: ReadonlyMap<string, PartUse>;
}

/** All runs, by contestant. */
export type Standings = ReadonlyMap<string, readonly Run[]>;

/** How contestants are compared. */
export interface ContestOptions {
  readonly rounds: number;
  /** Whose time is counted, too. */
  readonly partOf?: PartOf | undefined;
  readonly say: (text: string) => void;
}

/**
 * Lets contestants do the same work one after the other, so many rounds, each of which begins with
 * another one: who comes first may find memory that the machine has to fetch anew.
 */
export async function contest(
  contestants: readonly Contestant[],
  { rounds, partOf, say }: ContestOptions,
): Promise<Standings> {
  const standings = new Map<string, Run[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const run = await runOnce(contestant, round, partOf);
      standings.get(contestant.name)?.push(run);
      say(`  round ${round + 1}: ${contestant.name}: ${run.seconds.toFixed(2)} s`);
    }
  }
  return standings;
}

async function runOnce(
  { command, check }: Contestant,
  round: number,
  partOf: PartOf = () => undefined,
): Promise<Run> {
  const ready = await command(round);
  using meter = new PartMeter(partOf);
  const measured = await measure(ready);
  const parts = meter.totals();
  await check?.(round);
  return { ...measured, parts };
}

/** The runs of one of them. @throws {RangeError} if it has not taken part. */
export function runsOf(standings: Standings, name: string): readonly Run[] {
  const runs = standings.get(name);
  if (!runs) throw new RangeError(`Cannot find the runs of ${name}: it has not taken part`);
  return runs;
}
