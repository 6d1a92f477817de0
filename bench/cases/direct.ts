import type { Arena, Place } from '../arena.ts';
import { timeBar } from '../bars.ts';
import type { Bench, BenchCase, CaseResult, Comparison } from '../bench.ts';
import { oursPulling, oursPushing, placed, pulling, pushing } from '../contestants.ts';
import { MiB } from '../images.ts';
import type { LayoutImage, LayoutShape } from '../images.ts';
import {
  cranePulling,
  cranePushing,
  missingTools,
  skopeoPulling,
  skopeoPushing,
} from '../peers.ts';
import type { Contestant } from '../rounds.ts';

/** One layer of 512 MiB. */
export const oneLayer: LayoutShape = { layers: 1, layerBytes: 512 * MiB };
/** 20 layers of 16 MiB. */
export const manyLayers: LayoutShape = { layers: 20, layerBytes: 16 * MiB };
const shapes = { '1 × 512 MiB': oneLayer, '20 × 16 MiB': manyLayers };

/** Pushes straight to a registry: nothing of ours but the client. */
export const directPush: BenchCase = {
  name: 'direct-push',
  title: 'Push straight to a registry',
  missing: missingForDirect,
  run: (bench) => forEachShape(bench, 'push', pushers),
};

/** Pulls straight from a registry. */
export const directPull: BenchCase = {
  name: 'direct-pull',
  title: 'Pull straight from a registry',
  missing: missingForDirect,
  run: (bench) => forEachShape(bench, 'pull', pullers),
};

/** What cases need that go straight. */
export function missingForDirect(): readonly string[] {
  const registries = missingTools('registry', 'docker-registry');
  return [
    ...missingTools('crane'),
    ...(registries.length === 2 ? ['a registry (`registry` 3 or `docker-registry` 2)'] : []),
  ];
}

/** The registry beside the embedded cluster. */
export async function outsideOf(bench: Bench): Promise<{ arena: Arena; place: Place }> {
  const arena = await bench.arena({ cluster: 'embedded', link: bench.options.link });
  if (!arena.outside) throw new Error('Cannot go straight: no registry stands beside the cluster');
  return { arena, place: arena.outside };
}

type ContestantsOf = (bench: Bench, shape: LayoutShape) => Promise<readonly Contestant[]>;

async function forEachShape(
  bench: Bench,
  verb: string,
  contestantsOf: ContestantsOf,
): Promise<CaseResult> {
  const comparisons: Comparison[] = [];
  for (const [title, shape] of Object.entries(shapes)) {
    const standings = await bench.contest(await contestantsOf(bench, shape));
    const bytes = shape.layers * bench.scaled(shape.layerBytes);
    comparisons.push({ title: `${verb} ${title}`, bytes, standings });
  }
  const bars = comparisons.map((each) => timeBar(each, ['reposure, direct', 'crane'], 1.1));
  return { comparisons, bars };
}

async function pushers(bench: Bench, shape: LayoutShape): Promise<readonly Contestant[]> {
  const { arena, place } = await outsideOf(bench);
  // Skopeo remembers which repository of a registry has a blob, and would have it mounted.
  const image = (round: number): Promise<LayoutImage> => bench.image({ ...shape, variant: round });
  const work = { image, place };
  return [
    pushing('reposure, direct', work, oursPushing(arena, place, 'direct')),
    pushing('crane', work, cranePushing(place.host)),
    ...(missingTools('skopeo').length === 0
      ? [pushing('skopeo', work, skopeoPushing(place.host))]
      : []),
  ];
}

async function pullers(bench: Bench, shape: LayoutShape): Promise<readonly Contestant[]> {
  const { arena, place } = await outsideOf(bench);
  const image = await bench.image(shape);
  const repository = await placed(arena, { image, place, via: 'direct' });
  const work = { bench, image, repository };
  return [
    pulling('reposure, direct', work, oursPulling(arena, place, 'direct')),
    pulling('crane', work, cranePulling(place.host)),
    ...(missingTools('skopeo').length === 0
      ? [pulling('skopeo', work, skopeoPulling(place.host))]
      : []),
  ];
}
