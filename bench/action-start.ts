import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startRunner } from '../test/support/action.ts';
import { startEmbeddedWorld } from '../test/support/embedded-world.ts';
import { measure } from './measure.ts';

// What actions/push takes where the registry has everything already: `node bench/action-start.ts`.
const rounds = 9;
const barSeconds = 0.35;
const root = fileURLToPath(new URL('..', import.meta.url));

const world = await startEmbeddedWorld();
const folder = await mkdtemp(join(tmpdir(), 'action-start-'));
const [setup, push] = await Promise.all(
  ['setup', 'push'].map((name) =>
    startRunner(new URL(`actions/${name}/action.yml`, `file://${root}`)),
  ),
);
try {
  const inputs = { source: join(root, 'README.md'), tags: 'team/app:1' };
  for (const run of [
    await setup?.run({ inputs: { simple: 'true' }, env: world.env }),
    await push?.run({ inputs, env: world.env }),
  ]) {
    if (run?.status !== 0) throw new Error(run?.log);
  }
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) seconds.push(await cpuSecondsOf(inputs));
  const sorted = seconds.toSorted((a, b) => a - b);
  const shown = [sorted[0], sorted[Math.floor(rounds / 2)], sorted.at(-1)];
  const figures = shown.map((value = 0) => value.toFixed(3)).join(' / ');
  process.stdout.write(
    `CPU of a push with nothing to do, least / median / most: ${figures} s; the bar is ${barSeconds}\n`,
  );
} finally {
  await Promise.all([setup?.close(), push?.close()]);
  await rm(folder, { recursive: true, force: true });
  await world.close();
}

/** Of the process that the runner starts, user and system. */
async function cpuSecondsOf({ source, tags }: Record<'source' | 'tags', string>): Promise<number> {
  const [output, state] = [join(folder, 'output'), join(folder, 'state')];
  for (const file of [output, state]) await writeFile(file, '');
  const { cpuSeconds } = await measure({
    words: [process.execPath, join(root, 'dist', 'push.js')],
    env: {
      ...world.env,
      GITHUB_OUTPUT: output,
      GITHUB_STATE: state,
      INPUT_SOURCE: source,
      INPUT_TAGS: tags,
      RUNNER_TEMP: folder,
    },
  });
  return cpuSeconds;
}
