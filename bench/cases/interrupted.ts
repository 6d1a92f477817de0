import { Seeded } from '../../test/support/seeded.ts';
import type { Arena } from '../arena.ts';
import type { Bar } from '../arithmetic.ts';
import type { Bench, BenchCase, Comparison } from '../bench.ts';
import { oursPushing, pushing } from '../contestants.ts';
import type { Via } from '../contestants.ts';
import type { LayoutImage } from '../images.ts';
import type { Link } from '../link.ts';
import type { Contestant } from '../rounds.ts';
import { missingForDirect, oneLayer } from './direct.ts';
import { placeOf } from './memory.ts';

const interruptions = 10;
const vias = ['direct', 'proxy', 'exec'] as const;

/** A push whose connections are all cut, again and again. */
export const interrupted: BenchCase = {
  name: 'interrupted',
  title: `A push that is interrupted ${interruptions} times`,
  missing: () => missingForDirect().filter((tool) => tool !== 'crane'),
  run: async (bench) => {
    const chance = new Seeded();
    bench.say(`  REPOSURE_SEED=${chance.seed}`);
    const results = [];
    for (const via of vias) results.push(await by(bench, via, chance));
    return {
      comparisons: results.map(({ comparison }) => comparison),
      bars: results.map(({ bar }) => bar),
    };
  },
};

interface Result {
  readonly comparison: Comparison;
  readonly bar: Bar;
}

async function by(bench: Bench, via: Via, chance: Seeded): Promise<Result> {
  const { link } = bench.options;
  const arena = await bench.arena({ cluster: 'embedded', link, isCounted: true });
  const image = await bench.image(oneLayer);
  const [name, peer] = [`reposure, ${via}`, `reposure, ${via}, not interrupted`];
  const cut = counted(arena, { name, via, image }, () =>
    chance.ascending(interruptions, image.bytes),
  );
  const whole = counted(arena, { name: peer, via, image }, () => []);
  const standings = await bench.contest([cut.contestant, whole.contestant]);
  // What the protocols around them take is sent either way.
  const excess = Math.max(...cut.upBytes) - Math.min(...whole.upBytes);
  return {
    comparison: { title: `push 1 × 512 MiB, ${interruptions} cuts`, bytes: image.bytes, standings },
    bar: {
      what: `${name}: sent twice after ${interruptions} cuts, of the whole`,
      actual: excess / image.bytes,
      limit: { atMost: 0.05 },
    },
  };
}

interface Counted {
  readonly contestant: Contestant;
  /** What the client has sent over the link, in each round. */
  readonly upBytes: readonly number[];
}

function counted(
  arena: Arena,
  { name, via, image }: { name: string; via: Via; image: LayoutImage },
  cutsAt: () => readonly number[],
): Counted {
  const place = placeOf(arena, via);
  const link = linkOf(arena, via);
  const inner = pushing(name, { image: () => image, place }, oursPushing(arena, place, via));
  const upBytes: number[] = [];
  let [before, wanted] = [{ upBytes: 0, cuts: 0 }, 0];
  return {
    upBytes,
    contestant: {
      name,
      command: async (round) => {
        before = await link.counts();
        const marks = cutsAt();
        wanted = marks.length;
        await link.cutAt(marks.map((bytes) => before.upBytes + bytes));
        return await inner.command(round);
      },
      check: async (round) => {
        await inner.check?.(round);
        const after = await link.counts();
        upBytes.push(after.upBytes - before.upBytes);
        const cuts = after.cuts - before.cuts;
        if (cuts !== wanted) throw new Error(`The push was cut ${cuts} times; want ${wanted}`);
      },
    },
  };
}

/** The link that a route goes over, of an arena that counts. */
export function linkOf({ links }: Arena, via: Via): Link {
  const link = via === 'direct' ? links.toOutside : links.toCluster;
  if (!link) throw new TypeError('Cannot count: the arena has no links');
  return link;
}
