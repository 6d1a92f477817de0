import { median } from '../arithmetic.ts';
import type { Bar } from '../arithmetic.ts';
import { secondsOf } from '../bars.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { newRepository, oursPushing } from '../contestants.ts';
import type { CommandFor } from '../contestants.ts';
import { measure } from '../measure.ts';
import { cranePushing, missingTools, skopeoPushing } from '../peers.ts';
import type { Contestant, Standings } from '../rounds.ts';
import { assertPushed } from '../verify.ts';
import { manyLayers, missingForDirect, outsideOf } from './direct.ts';

const ours = 'reposure, direct';
const node = 'node, nothing';
/** It is short, so that one round tells little. */
const timesAsManyRounds = 4;

/** Pushes what the registry has already. */
export const unchanged: BenchCase = {
  name: 'unchanged',
  title: 'Push an image that has not changed',
  missing: missingForDirect,
  run: async (bench) => {
    const standings = await bench.contest(await contestants(bench), {
      rounds: bench.options.rounds * timesAsManyRounds,
    });
    return { comparisons: [{ title: 'unchanged', standings }], bars: [bar(standings)] };
  },
};

async function contestants(bench: Bench): Promise<readonly Contestant[]> {
  const image = await bench.image(manyLayers);
  const { arena, place } = await outsideOf(bench);
  const repository = newRepository();
  // The same memory of what was done before, as a person's machine has it.
  const push = oursPushing(arena, place, 'direct')(repository, image.folder);
  await measure(push);
  const again = (name: string, command: CommandFor): Contestant => ({
    name,
    command: () => command(repository, image.folder),
    check: () => assertPushed(place.origin, repository, image),
  });
  return [
    again(ours, () => push),
    again('crane', cranePushing(place.host)),
    ...(missingTools('skopeo').length === 0 ? [again('skopeo', skopeoPushing(place.host))] : []),
    { name: node, command: () => ({ words: [process.execPath, '-e', '0'] }) },
  ];
}

function bar(standings: Standings): Bar {
  const start = median(secondsOf(standings, node));
  return {
    what: `unchanged: time of ${ours}`,
    actual: median(secondsOf(standings, ours)),
    limit: { atMost: Math.max(0.25, 1.1 * start + 0.15) },
    unit: 's',
  };
}
