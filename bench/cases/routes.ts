import { sending, startPassOn } from '../bare-node.ts';
import { cpuBar, rateBar } from '../bars.ts';
import type { Bench, BenchCase, BenchOptions, Comparison } from '../bench.ts';
import { oursPulling, oursPushing, placed, pulling, pushing } from '../contestants.ts';
import { curlOf } from '../curl.ts';
import { blobsOf, largestBlobOf, MiB } from '../images.ts';
import type { LayoutImage } from '../images.ts';
import {
  cranePulling,
  cranePushing,
  kubectlCopy,
  kubectlExec,
  missingTools,
  startPortForward,
  startSleeper,
} from '../peers.ts';
import { startRawCopyServer } from '../raw-copy.ts';
import { oneLayer } from './direct.ts';

const straight = 'crane to a NodePort';
const forwarded = 'crane over port-forward';
/** Who goes the same way as `proxy`, and does nothing else. */
export const bareProxy = 'curl, no surrogate, nothing hashed';
const bareExec = 'kubectl exec -i … cat >/dev/null';
const bareNode = 'node: hash, send over TLS';
/** The other side of that. */
const passingOn = 'node: TLS to TCP';

/** Through the API server's proxy of Services. */
export const proxy: BenchCase = {
  name: 'proxy',
  title: 'Push and pull through the API server’s proxy',
  missing: (options) => [...missingForReal(options), ...missingTools('curl')],
  run: async (bench) => {
    const image = await bench.image(oneLayer);
    const comparisons = [await proxyPush(bench, image), await proxyPull(bench, image)];
    const bars = comparisons.flatMap((each) => [
      rateBar(each, ['reposure, proxy', straight, bareProxy], 0.85),
      rateBar(each, ['reposure, proxy', forwarded, bareProxy], 2),
    ]);
    return { comparisons, bars };
  },
};

async function proxyPush(bench: Bench, image: LayoutImage): Promise<Comparison> {
  const arena = await bench.arena({ cluster: 'real', link: bench.options.link });
  await using forward = await startPortForward(arena);
  const curl = await curlOf(arena, bench.directory);
  const work = { image: () => image, place: arena.inside };
  const standings = await bench.contest(
    [
      pushing(bareProxy, work, curl.push),
      pushing('reposure, proxy', work, oursPushing(arena, arena.inside, 'proxy')),
      pushing(straight, work, cranePushing(arena.inside.host)),
      pushing(forwarded, work, cranePushing(forward.host)),
    ],
    { partOf: arena.partOf },
  );
  return { title: 'push 1 × 512 MiB', bytes: image.bytes, standings };
}

async function proxyPull(bench: Bench, image: LayoutImage): Promise<Comparison> {
  const arena = await bench.arena({ cluster: 'real', link: bench.options.link });
  await using forward = await startPortForward(arena);
  const curl = await curlOf(arena, bench.directory);
  const repository = await placed(arena, { image, place: arena.inside, via: 'proxy' });
  const work = { bench, image, repository };
  const standings = await bench.contest(
    [
      // It keeps nothing that could be checked.
      { name: bareProxy, command: () => curl.pull(repository, bench.directory) },
      pulling('reposure, proxy', work, oursPulling(arena, arena.inside, 'proxy')),
      pulling(straight, work, cranePulling(arena.inside.host)),
      pulling(forwarded, work, cranePulling(forward.host)),
    ],
    { partOf: arena.partOf },
  );
  return { title: 'pull 1 × 512 MiB', bytes: image.bytes, standings };
}

/** Through the exec API. */
export const exec: BenchCase = {
  name: 'exec',
  title: 'Push through the exec API',
  missing: missingForReal,
  run: async (bench) => {
    const image = await bench.image(oneLayer);
    const comparison = await execPush(bench, image);
    const bars = [
      rateBar(comparison, ['reposure, exec', bareExec], 0.8),
      rateBar(comparison, ['reposure, exec', forwarded, bareExec], 1.2),
    ];
    return { comparisons: [comparison], bars };
  },
};

async function execPush(bench: Bench, image: LayoutImage): Promise<Comparison> {
  const arena = await bench.arena({ cluster: 'real', link: bench.options.link });
  await startSleeper(arena);
  const file = await largestBlobOf(image);
  await using forward = await startPortForward(arena);
  const work = { image: () => image, place: arena.inside };
  const standings = await bench.contest(
    [
      pushing('reposure, exec', work, oursPushing(arena, arena.inside, 'exec')),
      { name: bareExec, command: () => kubectlExec(arena, file) },
      { name: 'kubectl cp', command: () => kubectlCopy(arena, file) },
      pushing(forwarded, work, cranePushing(forward.host)),
    ],
    { partOf: arena.partOf },
  );
  return { title: 'push 1 × 512 MiB', bytes: image.bytes, standings };
}

/** What a push costs. Of more than the other cases push, so that the client's start counts less. */
export const cpu: BenchCase = {
  name: 'cpu',
  title: 'What a push over the surrogate costs',
  missing: missingForCluster,
  run: async (bench) => {
    const { cluster, link } = bench.options;
    const arena = await bench.arena({ cluster, link });
    const image = await bench.image({ layers: 2, layerBytes: 512 * MiB });
    const work = { image: () => image, place: arena.inside };
    const blobs = await blobsOf(image);
    await using sink = await startRawCopyServer();
    await using node = await startPassOn(sink.host);
    const standings = await bench.contest(
      [
        ...(['proxy', 'exec'] as const).map((via) =>
          pushing(`reposure, ${via}`, work, oursPushing(arena, arena.inside, via)),
        ),
        { name: bareNode, command: () => sending(node, blobs) },
      ],
      { partOf: (pid) => (pid === node.pid ? passingOn : arena.partOf(pid)) },
    );
    const comparison = { title: 'push 2 × 512 MiB', bytes: image.bytes, standings };
    const [sender, passer] = [{ name: bareNode }, { name: bareNode, part: passingOn }];
    const bars = [
      cpuBar(comparison, [{ name: 'reposure, proxy' }, sender], 2),
      cpuBar(comparison, [{ name: 'reposure, exec' }, sender], 1.5),
      cpuBar(comparison, [{ name: 'reposure, proxy', part: 'surrogate' }, passer], 1.5),
      cpuBar(comparison, [{ name: 'reposure, exec', part: 'surrogate' }, passer], 1.5),
    ];
    return { comparisons: [comparison], bars };
  },
};

/** What a case needs that goes to the cluster that was asked for. */
export function missingForCluster({ cluster }: BenchOptions): readonly string[] {
  if (cluster === 'embedded') return [];
  return [...(process.env['KUBECONFIG'] ? [] : ['KUBECONFIG']), ...missingTools('kubectl')];
}

/** What a case needs that makes sense on a real cluster only. */
export function missingForReal(options: BenchOptions): readonly string[] {
  if (options.cluster === 'embedded') return ['--cluster real, with KUBECONFIG'];
  return [...missingForCluster(options), ...missingTools('crane')];
}
