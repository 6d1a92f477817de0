import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { reposureOk } from '../test/support/cli.ts';
import { startEmbeddedWorld } from '../test/support/embedded-world.ts';
import { writeRandomImage } from '../test/support/random-image.ts';
import { hasTool, tool } from '../test/support/tools.ts';

// What the way through the exec API costs: the same image to and from the same registry, by
// `reposure` over exec and by `crane` straight. `node bench/exec-route.ts [ROUNDS]`; the table
// tells the best round of each.
const image = { layers: 4, layerBytes: 128 * 1024 * 1024 };
const rounds = Number(process.argv[2] ?? 3);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
}

async function measure(directory: string): Promise<void> {
  const world = await startEmbeddedWorld();
  const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
  try {
    await run('operator', 'install', '--wait');
    await run('simple', 'install', '--node-port', '--wait');
    await run('registry', 'create', 'default', '--provider=simple', '--wait');
    const host = (await run('simple', 'host')).toString().trim();
    const source = join(directory, 'source');
    await writeRandomImage(source, image);
    const best = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const target = join(directory, `target-${round}`);
      // Another repository each time, or nothing would travel.
      const [ours, theirs] = [`bench/exec-${round}:1`, `${host}/bench/crane-${round}:1`];
      const cases: [string, () => Promise<unknown>][] = [
        ['push, crane, direct', () => tool('crane', 'push', '--insecure', source, theirs)],
        ['push, reposure, exec', () => run('image', 'push', 'default', ours, `oci:${source}`)],
        [
          'pull, crane, direct',
          () => tool('crane', 'pull', '--insecure', '--format=oci', theirs, `${target}-crane`),
        ],
        [
          'pull, reposure, exec',
          () => run('image', 'pull', 'default', ours, '--to', `oci:${target}-exec`),
        ],
      ];
      for (const [name, work] of cases) {
        best.set(name, Math.min(best.get(name) ?? Infinity, await secondsOf(work)));
      }
      for (const by of ['crane', 'exec'])
        await rm(`${target}-${by}`, { recursive: true, force: true });
    }
    print(best);
  } finally {
    await world.close();
  }
}

function print(best: ReadonlyMap<string, number>): void {
  const mebibytes = (image.layers * image.layerBytes) / 1024 ** 2;
  say(`${mebibytes} MiB in ${image.layers} layers, best of ${rounds}, processes and all\n`);
  say('| Case                 | Seconds | MiB/s | Of crane |');
  say('| -------------------- | ------: | ----: | -------: |');
  for (const [name, seconds] of best) {
    const [verb] = name.split(',');
    const ratio = (best.get(`${verb}, crane, direct`) ?? Number.NaN) / seconds;
    const cells = [seconds.toFixed(2).padStart(7), (mebibytes / seconds).toFixed(0).padStart(5)];
    say(`| ${name.padEnd(20)} | ${cells.join(' | ')} | ${ratio.toFixed(2).padStart(8)} |`);
  }
}

if (!hasTool('crane')) {
  throw new Error(
    'Cannot compare: want crane on the PATH, https://github.com/google/go-containerregistry',
  );
}
const directory = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  await measure(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
