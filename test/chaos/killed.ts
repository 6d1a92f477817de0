import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { reposure } from '../support/cli.ts';
import { childrenRunning } from '../support/processes.ts';
import { writeRandomImage } from '../support/random-image.ts';
import type { Seeded } from '../support/seeded.ts';
import { digestAt, inside, outside } from './relayed-world.ts';
import type { RelayedWorld } from './relayed-world.ts';

const MiB = 1024 * 1024;

/** What is lost while an image travels. */
export const victims = ['the cable', 'the surrogate', 'the registry', 'the API server'] as const;
export type Victim = (typeof victims)[number];

/** The way that it goes. */
export type Via = 'direct' | 'proxy' | 'exec';

/** What came of an image that lost something on the way. */
export interface Survival {
  readonly digest: string;
  /** What the registry has under its tag. */
  readonly stored: string | null;
  readonly errors: string;
  /** Whether what came back is what went, byte for byte. */
  readonly isWhole: boolean;
  /** Whether the victim was there when its time came, both times. */
  readonly isLost: boolean;
}

/** How it should be. */
export function survived({ digest }: Survival): Survival {
  return { digest, stored: digest, errors: '', isWhole: true, isLost: true };
}

/** Carries images there and back, and loses something on the way. */
export class Victims {
  readonly #world: RelayedWorld;
  readonly #chance: Seeded;
  #count = 0;

  constructor(world: RelayedWorld, chance: Seeded) {
    this.#world = world;
    this.#chance = chance;
  }

  /** Pushes and pulls an image of two layers; each time the victim is lost at a random byte. */
  async survive(victim: Victim, route: Via, layerBytes = 4 * MiB): Promise<Survival> {
    const { directory, origin } = this.#world;
    const repository = `round-${this.#count++}/app`;
    const [source, target] = [
      join(directory, repository, 'in'),
      join(directory, repository, 'out'),
    ];
    const digest = await writeRandomImage(source, { layers: 2, layerBytes });
    const registry = route === 'direct' ? outside : inside;
    const from = [registry, `${repository}:1`];
    const isLostUp = this.#lose(victim, route, 'up', 2 * layerBytes);
    const pushed = await this.#run('push', ...from, `oci:${source}`, `--route=${route}`);
    const isLostDown = this.#lose(victim, route, 'down', 2 * layerBytes);
    const pulled = await this.#run('pull', ...from, '--to', `oci:${target}`, `--route=${route}`);
    return {
      digest,
      stored: await digestAt(origin, repository, '1'),
      errors: pushed + pulled,
      isWhole: await haveSameBlobs(source, target),
      isLost: isLostUp() && isLostDown(),
    };
  }

  /** @returns What it complained of when it failed. */
  async #run(...words: readonly string[]): Promise<string> {
    const { status, stderr } = await reposure(['image', ...words], { env: this.#world.env });
    return status === 0 ? '' : stderr;
  }

  /** @returns Whether there was something to be lost when its time came. */
  #lose(victim: Victim, route: Via, direction: 'up' | 'down', bytes: number): () => boolean {
    const { toRegistry, toCluster } = this.#world;
    const relay = route === 'direct' ? toRegistry : toCluster;
    let isLost = false;
    const at = relay[direction].bytes + this.#chance.below(bytes);
    relay[direction].when(at, () => {
      if (victim === 'the cable') relay.cut();
      else if (victim === 'the API server') relay.cutFor(1500);
      else if (!killOne(victim, route)) return;
      isLost = true;
    });
    return () => isLost;
  }
}

function killOne(victim: 'the surrogate' | 'the registry', route: Via): boolean {
  // An exec session is a process of its own; the gateway behind the proxy is the Pod's first one.
  const surrogate = `reposure-surrogate ${route === 'exec' ? 'serve' : 'run'}`;
  const words = victim === 'the surrogate' ? surrogate : 'registry-program';
  const pids = childrenRunning(words);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length > 0;
}

async function haveSameBlobs(one: string, other: string): Promise<boolean> {
  const names = await readdir(join(one, 'blobs', 'sha256'));
  for (const name of names) {
    const [sent, got] = await Promise.all(
      [one, other].map((folder) => readFile(join(folder, 'blobs', 'sha256', name)).catch(() => {})),
    );
    if (!sent || !got || !sent.equals(got)) return false;
  }
  return names.length > 0;
}
