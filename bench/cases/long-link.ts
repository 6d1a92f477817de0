import type { Arena } from '../arena.ts';
import { rateBar } from '../bars.ts';
import type { Bench, BenchCase, Comparison } from '../bench.ts';
import { oursPulling, oursPushing, placed, pulling, pushing } from '../contestants.ts';
import type { LayoutImage } from '../images.ts';
import { linkShapes, openLink } from '../link.ts';
import { rawCopyWords, startRawCopyServer } from '../raw-copy.ts';
import type { Contestant } from '../rounds.ts';
import { oneLayer } from './direct.ts';
import { missingForCluster } from './routes.ts';

const vias = ['proxy', 'exec'] as const;
const verbs = ['push', 'pull'] as const;
const raw = 'raw TCP';

/** Over a link with a delay; over 40 ms and 1 Gbit where another has not been asked for. */
export const longLink: BenchCase = {
  name: 'long-link',
  title: 'Push and pull over a long link',
  missing: missingForCluster,
  run: async (bench) => {
    const image = await bench.image(oneLayer);
    const comparisons = [];
    for (const verb of verbs) comparisons.push(await overLink(bench, verb, image));
    const bars = comparisons.flatMap((each) =>
      vias.map((via) => rateBar(each, [`reposure, ${via}`, raw], 0.8)),
    );
    return { comparisons, bars };
  },
};

async function overLink(
  bench: Bench,
  verb: 'push' | 'pull',
  image: LayoutImage,
): Promise<Comparison> {
  const { cluster, link: asked } = bench.options;
  const link = asked === 'loopback' ? '40ms-1gbit' : asked;
  const arena = await bench.arena({ cluster, link });
  await using server = await startRawCopyServer();
  await using way = await openLink(server.host, linkShapes[link]);
  const copier: Contestant = {
    name: raw,
    command: () => ({ words: rawCopyWords(verb, way.host, image.bytes) }),
  };
  const ours = await (verb === 'push' ? pushers(arena, image) : pullers(bench, arena, image));
  const standings = await bench.contest([...ours, copier], { partOf: arena.partOf });
  return { title: `${verb} 1 × 512 MiB over ${link}`, bytes: image.bytes, standings };
}

async function pushers(arena: Arena, image: LayoutImage): Promise<readonly Contestant[]> {
  const place = arena.inside;
  return vias.map((via) =>
    pushing(`reposure, ${via}`, { image: () => image, place }, oursPushing(arena, place, via)),
  );
}

async function pullers(
  bench: Bench,
  arena: Arena,
  image: LayoutImage,
): Promise<readonly Contestant[]> {
  const place = arena.inside;
  const repository = await placed(arena, { image, place, via: 'exec' });
  return vias.map((via) =>
    pulling(`reposure, ${via}`, { bench, image, repository }, oursPulling(arena, place, via)),
  );
}
