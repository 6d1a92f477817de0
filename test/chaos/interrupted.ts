import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { cliScript, reposure } from '../support/cli.ts';
import { writeRandomImage } from '../support/random-image.ts';
import type { Relay } from '../support/relay.ts';
import { Seeded } from '../support/seeded.ts';
import { digestAt, inside, outside, startRelayedWorld } from './relayed-world.ts';
import type { RelayedWorld } from './relayed-world.ts';

/** How much is interrupted, and how often. */
export interface Interruptions {
  readonly imageBytes: number;
  readonly cuts: number;
  readonly kills: number;
  /** The ways by which the command line is killed: what it remembers is the same for all of them. */
  readonly killedBy: readonly RouteName[];
}

const MiB = 1024 * 1024;
const chance = new Seeded();
const routes = ['direct', 'proxy', 'exec'] as const;
type RouteName = (typeof routes)[number];

/** Pushes that are interrupted at random points end well, and hardly anything goes up twice. */
export function describeInterrupted({ imageBytes, cuts, kills, killedBy }: Interruptions): void {
  let world: RelayedWorld;
  let digest: string;

  beforeAll(async () => {
    // As wide as a line to a data centre, and no wider: what the cluster has no time to pass on waits in
    // the queues behind the cable, is lost with it, and counts as sent.
    world = await startRelayedWorld({ bytesPerSecond: 16 * MiB });
    const image = { layers: 2, layerBytes: imageBytes / 2 };
    digest = await writeRandomImage(join(world.directory, 'image'), image);
  });

  afterAll(() => world?.close());

  const relayOf = (route: RouteName): Relay =>
    route === 'direct' ? world.toRegistry : world.toCluster;
  const wordsOf = (route: RouteName, name: string): string[] => {
    const registry = route === 'direct' ? outside : inside;
    const source = `oci:${join(world.directory, 'image')}`;
    return ['image', 'push', registry, name, source, `--route=${route}`];
  };
  /** A state for each test: one that knows the layers of another test would mount them. */
  const envOf = (name: string): Record<string, string> => ({
    ...world.env,
    XDG_STATE_HOME: join(world.directory, name),
    // What a killed push leaves is removed with the rest.
    TMPDIR: world.directory,
  });
  /** Of the image's bytes, those that went up the cable more than once; what else goes up counts, too. */
  const excessOf = (bytes: number): number => (bytes - imageBytes) / imageBytes;

  describe(
    `a push that is interrupted at random points (REPOSURE_SEED=${chance.seed})`,
    { timeout: 120_000 },
    () => {
      it.each(routes)(
        `${cuts} times by %s ends well, and a twentieth at most go twice`,
        async (route) => {
          const relay = relayOf(route);
          const before = relay.up.bytes;
          for (const point of chance.ascending(cuts, imageBytes)) {
            relay.up.when(before + point, () => relay.cut());
          }
          const { status, stderr } = await reposure(wordsOf(route, `cut/${route}:1`), {
            env: envOf(`cut-${route}`),
          });
          expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
          expect(await digestAt(world.origin, `cut/${route}`, '1')).toBe(digest);
          expect(excessOf(relay.up.bytes - before)).toBeLessThan(0.05);
        },
      );

      it.each(killedBy)('by SIGKILL, by %s, goes on when it is run again', async (route) => {
        const relay = relayOf(route);
        const before = relay.up.bytes;
        const words = wordsOf(route, `killed/${route}:1`);
        const env = envOf(`killed-${route}`);
        for (const point of chance.ascending(kills, imageBytes)) {
          await killedAt(relay, before + point, { words, env });
        }
        const { status, stderr } = await reposure(words, { env });
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        expect(await digestAt(world.origin, `killed/${route}`, '1')).toBe(digest);
        expect(excessOf(relay.up.bytes - before)).toBeLessThan(0.05);
      });
    },
  );

  describe(
    `a cable that stands still, and tells nobody (REPOSURE_SEED=${chance.seed})`,
    { timeout: 120_000 },
    () => {
      it('is given up in time, and what came before is not sent again', async () => {
        const relay = relayOf('direct');
        const before = relay.up.bytes;
        // More than the kernel's queues may hold (tcp_rmem and tcp_wmem: 36 MiB), and early: where all of
        // a layer has been parted with, its answer is waited for, and that for minutes.
        const bytes = 64 * MiB;
        const layout = join(world.directory, 'still-image');
        const sent = await writeRandomImage(layout, { layers: 1, layerBytes: bytes });
        relay.up.when(before + chance.below(bytes / 8), () => relay.stall());
        const words = ['image', 'push', outside, 'still/direct:1', `oci:${layout}`];
        const flags = ['--route=direct', '--stall-timeout=2s'];
        const { status, stderr } = await reposure([...words, ...flags], { env: envOf('still') });
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        expect(stderr).toMatch(/no byte moved for/);
        expect(await digestAt(world.origin, 'still/direct', '1')).toBe(sent);
        expect(relay.up.bytes - before).toBeLessThan(bytes * 1.05);
      });
    },
  );
}

/** Runs the command line until so many bytes have gone, and not longer. */
async function killedAt(
  relay: Relay,
  bytes: number,
  { words, env }: { readonly words: readonly string[]; readonly env: Record<string, string> },
): Promise<void> {
  const child = spawn(process.execPath, [cliScript, ...words], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  relay.up.when(bytes, () => {
    child.kill('SIGKILL');
    relay.cut();
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}
