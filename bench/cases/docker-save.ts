import type { Arena } from '../arena.ts';
import type { Bar } from '../arithmetic.ts';
import { memoryBar, timeBar } from '../bars.ts';
import type { Bench, BenchCase, Comparison } from '../bench.ts';
import { newRepository } from '../contestants.ts';
import type { Via } from '../contestants.ts';
import { MiB, SavedImage } from '../images.ts';
import { measure } from '../measure.ts';
import type { Command } from '../measure.ts';
import type { Contestant } from '../rounds.ts';
import { assertPushed } from '../verify.ts';
import { missingForDirect } from './direct.ts';
import { linkOf } from './interrupted.ts';
import { placeOf } from './memory.ts';

const vias = ['direct', 'proxy', 'exec'] as const;
const layers = 9;
const changedBytes = 2 * MiB;
const sameBytes = 600 * MiB - changedBytes;
const reading = 'sha256sum of the archive';

/** An image of `docker save` again, with one layer changed; what the others hold is there. */
export const dockerSave: BenchCase = {
  name: 'docker-save',
  title: 'Push docker save of 600 MiB again after one layer of 2 MiB changed',
  missing: () => missingForDirect().filter((tool) => tool !== 'crane'),
  run: async (bench) => {
    const archive = await savedArchive(bench);
    const pushers = [];
    for (const via of vias) pushers.push(await pusher(bench, archive, via));
    const standings = await bench.contest([
      ...pushers.map(({ contestant }) => contestant),
      { name: reading, command: () => ({ words: ['sha256sum', archive.path] }) },
      { name: 'cat of the archive', command: () => ({ words: ['cat', archive.path] }) },
    ]);
    const comparison = { title: 'push again', standings };
    return {
      comparisons: [comparison],
      bars: pushers.flatMap((each) => barsOf(comparison, each)),
    };
  },
};

interface Archive {
  readonly path: string;
  /** Replaces the topmost layer. @returns the new image's config. */
  change(): Promise<string>;
  /** Of the topmost layer, as gzip packs it. */
  changedBytes(): Promise<number>;
}

async function savedArchive(bench: Bench): Promise<Archive> {
  const image = new SavedImage(bench.newPath());
  for (let layer = 0; layer < layers; layer++) {
    await image.addLayer(bench.scaled(sameBytes / layers));
  }
  const path = bench.newPath();
  const change = async (): Promise<string> => {
    await image.addLayer(changedBytes);
    const config = await image.write(path);
    return config;
  };
  await change();
  return {
    path,
    changedBytes: () => image.packedBytes(),
    change: () => {
      image.dropLayer();
      return change();
    },
  };
}

interface Pusher {
  readonly contestant: Contestant;
  /** What the client sent over the link, of what the changed layer is when packed; in each round. */
  readonly sent: readonly number[];
}

async function pusher(bench: Bench, archive: Archive, via: Via): Promise<Pusher> {
  const { link: shape } = bench.options;
  const arena = await bench.arena({ cluster: 'embedded', link: shape, isCounted: true });
  const link = linkOf(arena, via);
  const place = placeOf(arena, via);
  const repository = newRepository();
  const push = pushCommand(arena, { registry: place.registry, repository, via }, archive);
  await measure(push);
  const sent: number[] = [];
  let [config, beforeBytes] = ['', 0];
  return {
    sent,
    contestant: {
      name: `reposure, ${via}`,
      command: async () => {
        config = await archive.change();
        beforeBytes = (await link.counts()).upBytes;
        return push;
      },
      check: async () => {
        const { upBytes } = await link.counts();
        sent.push((upBytes - beforeBytes) / (await archive.changedBytes()));
        await assertPushed(place.origin, repository, { config });
      },
    },
  };
}

function pushCommand(
  arena: Arena,
  { registry, repository, via }: { registry: string; repository: string; via: Via },
  { path }: Archive,
): Command {
  const source = `docker-archive:${path}`;
  return arena.reposure('image', 'push', registry, `${repository}:1`, source, `--route=${via}`);
}

function barsOf(comparison: Comparison, { contestant: { name }, sent }: Pusher): readonly Bar[] {
  return [
    {
      what: `push again: sent by ${name}, of the changed layer packed`,
      actual: Math.max(...sent),
      limit: { atMost: 1.05 },
    },
    timeBar(comparison, [name, reading], 1.3),
    memoryBar(comparison, { name }, 150e6),
  ];
}
