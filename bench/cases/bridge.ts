import { rateBar } from '../bars.ts';
import type { Bench, BenchCase, Comparison } from '../bench.ts';
import { oursPulling, oursPushing, placed, pulling, pushing } from '../contestants.ts';
import type { Via } from '../contestants.ts';
import { curlOf } from '../curl.ts';
import type { LayoutImage } from '../images.ts';
import { cranePulling, cranePushing, missingTools, startPortForward } from '../peers.ts';
import { startBridge } from '../started-bridge.ts';
import { oneLayer } from './direct.ts';
import { bareProxy, missingForReal } from './routes.ts';

const forwarded = 'crane over port-forward';
const bridged = (via: Via): string => `crane over a bridge, ${via}`;
const ours = (via: Via): string => `reposure, ${via}`;

/** What another tool has of the routes. */
export const bridge: BenchCase = {
  name: 'bridge',
  title: 'crane through a bridge',
  missing: (options) => [...missingForReal(options), ...missingTools('curl')],
  run: async (bench) => {
    const image = await bench.image(oneLayer);
    const proxy = await bridgePush(bench, image, 'proxy');
    const exec = await bridgePush(bench, image, 'exec');
    const pulled = await bridgePull(bench, image, 'proxy');
    return {
      comparisons: [proxy, exec, pulled],
      bars: [
        rateBar(proxy, [bridged('proxy'), ours('proxy')], 0.9),
        rateBar(proxy, [bridged('proxy'), forwarded, bareProxy], 2),
        rateBar(exec, [bridged('exec'), ours('exec')], 0.9),
      ],
    };
  },
};

async function bridgePush(bench: Bench, image: LayoutImage, via: Via): Promise<Comparison> {
  const arena = await bench.arena({ cluster: 'real', link: bench.options.link });
  await using forward = await startPortForward(arena);
  await using started = await startBridge(arena, via);
  const work = { image: () => image, place: arena.inside };
  const bare =
    via === 'proxy' ? [pushing(bareProxy, work, (await curlOf(arena, bench.directory)).push)] : [];
  const standings = await bench.contest(
    [
      ...bare,
      pushing(ours(via), work, oursPushing(arena, arena.inside, via)),
      pushing(bridged(via), work, started.crane(cranePushing(started.address))),
      pushing(forwarded, work, cranePushing(forward.host)),
    ],
    { partOf: started.partOf },
  );
  return { title: `push 1 × 512 MiB, ${via}`, bytes: image.bytes, standings };
}

async function bridgePull(bench: Bench, image: LayoutImage, via: Via): Promise<Comparison> {
  const arena = await bench.arena({ cluster: 'real', link: bench.options.link });
  await using forward = await startPortForward(arena);
  await using started = await startBridge(arena, via);
  const repository = await placed(arena, { image, place: arena.inside, via });
  const work = { bench, image, repository };
  const standings = await bench.contest(
    [
      pulling(ours(via), work, oursPulling(arena, arena.inside, via)),
      pulling(bridged(via), work, started.crane(cranePulling(started.address))),
      pulling(forwarded, work, cranePulling(forward.host)),
    ],
    { partOf: started.partOf },
  );
  return { title: `pull 1 × 512 MiB, ${via}`, bytes: image.bytes, standings };
}
