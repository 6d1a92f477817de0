import type { Arena, Place } from './arena.ts';
import type { Bench } from './bench.ts';
import type { LayoutImage } from './images.ts';
import { measure } from './measure.ts';
import type { Command } from './measure.ts';
import type { Contestant } from './rounds.ts';
import { assertPulled, assertPushed } from './verify.ts';

/** A way that Reposure goes. */
export type Via = 'direct' | 'proxy' | 'exec';

/** What a push is about. */
export interface Work {
  /** In each round; the same one for all who take part in it. */
  readonly image: (round: number) => LayoutImage | Promise<LayoutImage>;
  readonly place: Place;
}

/** How one program pushes from a layout, or pulls to one. */
export type CommandFor = (repository: string, folder: string) => Command;

/** Someone who pushes; to another repository each time, or nothing would travel. */
export function pushing(name: string, { image, place }: Work, command: CommandFor): Contestant {
  const repositories = new Map<number, string>();
  return {
    name,
    command: async (round) => {
      const repository = newRepository();
      repositories.set(round, repository);
      return command(repository, (await image(round)).folder);
    },
    check: async (round) => {
      await assertPushed(place.origin, repositories.get(round) ?? '', await image(round));
    },
  };
}

/** Someone who pulls what is in `repository`, to another folder each time. */
export function pulling(
  name: string,
  { bench, image, repository }: { bench: Bench; image: LayoutImage; repository: string },
  command: CommandFor,
): Contestant {
  const folders = new Map<number, string>();
  return {
    name,
    command: (round) => {
      const folder = bench.newPath();
      folders.set(round, folder);
      return command(repository, folder);
    },
    check: (round) => assertPulled(folders.get(round) ?? '', image),
  };
}

let repositories = 0;

/** A repository that nobody has used. */
export function newRepository(): string {
  return `bench/r${++repositories}`;
}

/** How `reposure` pushes a layout. */
export function oursPushing(arena: Arena, { registry }: Place, via: Via): CommandFor {
  return (repository, folder) =>
    arena.reposure('image', 'push', registry, `${repository}:1`, `oci:${folder}`, `--route=${via}`);
}

/** How `reposure` pulls to a layout. */
export function oursPulling(arena: Arena, { registry }: Place, via: Via): CommandFor {
  return (repository, folder) =>
    arena.reposure(
      'image',
      'pull',
      registry,
      `${repository}:1`,
      '--to',
      `oci:${folder}`,
      `--route=${via}`,
    );
}

/** Puts an image there, for those who pull it. @returns the repository. */
export async function placed(
  arena: Arena,
  { image, place, via }: { image: LayoutImage; place: Place; via: Via },
): Promise<string> {
  const repository = newRepository();
  await measure(oursPushing(arena, place, via)(repository, image.folder));
  return repository;
}
