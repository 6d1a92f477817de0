import type { Arena, Place } from '../arena.ts';
import type { Bar } from '../arithmetic.ts';
import { memoryBar } from '../bars.ts';
import type { Bench, BenchCase, CaseResult, Comparison } from '../bench.ts';
import { oursPulling, oursPushing, placed, pulling, pushing } from '../contestants.ts';
import type { Via } from '../contestants.ts';
import { GiB } from '../images.ts';
import { missingForDirect } from './direct.ts';
import { missingForCluster } from './routes.ts';

const maxBytes = 150e6;
/** Without crane: nobody else's memory is of interest here. */
const vias = ['direct', 'proxy', 'exec'] as const;

/** How much memory the largest image takes. One round: the kernel keeps the peak. */
export const memory: BenchCase = {
  name: 'memory',
  title: 'Memory that an image of 8 GiB takes',
  missing: (options) => [
    ...missingForCluster(options),
    ...missingForDirect().filter((tool) => tool !== 'crane'),
  ],
  run: async (bench) => {
    const results = [];
    for (const via of vias) results.push(await by(bench, via));
    return {
      comparisons: results.flatMap(({ comparisons }) => comparisons),
      bars: results.flatMap(({ bars }) => bars),
    };
  },
};

async function by(bench: Bench, via: Via): Promise<CaseResult> {
  const { cluster, link } = bench.options;
  // Only there is a registry that is reached without one.
  const arena = await bench.arena({ cluster: via === 'direct' ? 'embedded' : cluster, link });
  const image = await bench.image({ layers: 1, layerBytes: 8 * GiB, isSparse: true });
  const place = placeOf(arena, via);
  const name = `reposure, ${via}`;
  const options = { rounds: 1, partOf: arena.partOf };
  const pushed = await bench.contest(
    [pushing(name, { image: () => image, place }, oursPushing(arena, place, via))],
    options,
  );
  const repository = await placed(arena, { image, place, via });
  const pulled = await bench.contest(
    [pulling(name, { bench, image, repository }, oursPulling(arena, place, via))],
    options,
  );
  const comparisons = [
    { title: 'push 8 GiB', bytes: image.bytes, standings: pushed },
    { title: 'pull 8 GiB', bytes: image.bytes, standings: pulled },
  ];
  return { comparisons, bars: comparisons.flatMap((each) => barsOf(each, name, via)) };
}

/** Where a route leads. @throws {Error} if nothing is there. */
export function placeOf({ inside, outside }: Arena, via: Via): Place {
  const place = via === 'direct' ? outside : inside;
  if (!place) throw new Error('Cannot go straight: no registry stands beside the cluster');
  return place;
}

function barsOf(comparison: Comparison, name: string, via: Via): readonly Bar[] {
  const client = memoryBar(comparison, { name }, maxBytes);
  if (via === 'direct') return [client];
  return [client, memoryBar(comparison, { name, part: 'surrogate' }, maxBytes)];
}
