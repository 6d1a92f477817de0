import { rm } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { writeRandomImage } from '../support/random-image.ts';
import type { RandomImage } from '../support/random-image.ts';
import { watchPeakMemory } from './peak-memory.ts';

const MiB = 1024 * 1024;
const maxBytes = 200_000_000;
const surrogate = 'reposure-surrogate serve';

let world: EmbeddedWorld;
const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });

beforeAll(async () => {
  world = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
});

afterAll(() => world.close());

/** @returns What the command line printed; its memory and the surrogate's stayed below the bound. */
async function within(verb: 'push' | 'pull', ...words: string[]): Promise<string> {
  const command = `image ${verb}`;
  const peaks = watchPeakMemory(command, surrogate);
  try {
    const stdout = await run('image', verb, ...words, '--route=exec', '-o', 'json');
    const [near, far] = [peaks.of(command), peaks.of(surrogate)];
    process.stderr.write(
      `${words.join(' ')}: ${verb} held ${Math.round(near / 1e6)} MB, the surrogate ${Math.round(far / 1e6)} MB\n`,
    );
    for (const peak of [near, far]) {
      expect(peak).toBeGreaterThan(0); // somebody was watched
      expect(peak).toBeLessThan(maxBytes);
    }
    return (JSON.parse(stdout.toString()) as { digest: string }).digest;
  } finally {
    peaks.stop();
  }
}

// Where the kernel tells a process's peak.
describe.skipIf(platform() !== 'linux')('2 GiB over the exec route, in less than 200 MB', () => {
  it.each<[string, RandomImage]>([
    ['one layer of 2 GiB', { layers: 1, layerBytes: 2048 * MiB }],
    ['eight layers of 256 MiB', { layers: 8, layerBytes: 256 * MiB }],
  ])('carries %s there and back', async (_, image) => {
    const name = `soak/layers-${image.layers}:1`;
    const [source, target] = [join(world.directory, 'source'), join(world.directory, 'target')];
    try {
      const digest = await writeRandomImage(source, image);
      expect(await within('push', 'default', name, `oci:${source}`)).toBe(digest);
      await rm(source, { recursive: true });
      expect(await within('pull', 'default', name, '--to', `oci:${target}`)).toBe(digest);
    } finally {
      await rm(source, { recursive: true, force: true });
      await rm(target, { recursive: true, force: true });
    }
  });
});
