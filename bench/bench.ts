import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openArena } from './arena.ts';
import type { Arena, ArenaShape } from './arena.ts';
import type { Bar } from './arithmetic.ts';
import { writeLayout } from './images.ts';
import type { LayoutImage, LayoutShape } from './images.ts';
import type { LinkName } from './link.ts';
import { contest } from './rounds.ts';
import type { Contestant, ContestOptions, Standings } from './rounds.ts';

/** What a run of the bench was asked for. */
export interface BenchOptions {
  readonly rounds: number;
  readonly link: LinkName;
  readonly cluster: 'embedded' | 'real';
  /** What every size is multiplied by; below 1 to try the bench itself. */
  readonly scale: number;
}

/** Something that was done by several, and what is promised of it. */
export interface Comparison {
  readonly title: string;
  /** What each of them moved. */
  readonly bytes?: number;
  readonly standings: Standings;
}

/** What came out of a case. */
export interface CaseResult {
  readonly comparisons: readonly Comparison[];
  readonly bars: readonly Bar[];
}

/** One thing that is measured. */
export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** What it cannot do without and does not find: `crane`. */
  missing(options: BenchOptions): readonly string[];
  run(bench: Bench): Promise<CaseResult>;
}

/** What cases share: images and arenas are made when the first of them asks, and go at the end. */
export class Bench implements AsyncDisposable {
  readonly options: BenchOptions;
  readonly directory: string;
  readonly say: (text: string) => void;
  readonly #stack = new AsyncDisposableStack();
  readonly #images = new Map<string, Promise<LayoutImage>>();
  readonly #arenas = new Map<string, Promise<Arena>>();
  #names = 0;

  private constructor(options: BenchOptions, directory: string, say: (text: string) => void) {
    this.options = options;
    this.directory = directory;
    this.say = say;
    this.#stack.defer(() => rm(directory, { recursive: true, force: true }));
  }

  static async start(options: BenchOptions, say: (text: string) => void): Promise<Bench> {
    return new Bench(options, await mkdtemp(join(tmpdir(), 'bench-')), say);
  }

  /** Bytes as the scale has them, in whole KiB. */
  scaled(bytes: number): number {
    return Math.max(1, Math.round((bytes * this.options.scale) / 1024)) * 1024;
  }

  /** A path that nothing has yet. */
  newPath(): string {
    return join(this.directory, String(++this.#names));
  }

  /** An image; the same one for the same shape. @param shape.layerBytes before scaling */
  image(shape: LayoutShape): Promise<LayoutImage> {
    const layerBytes = this.scaled(shape.layerBytes);
    return remembered(this.#images, shape, () =>
      writeLayout(this.newPath(), { ...shape, layerBytes }),
    );
  }

  arena(shape: ArenaShape): Promise<Arena> {
    return remembered(this.#arenas, shape, async () => {
      this.say(`  starting: ${Object.values(shape).join(', ')}`);
      return this.#stack.use(await openArena(shape));
    });
  }

  contest(
    contestants: readonly Contestant[],
    options: Partial<Pick<ContestOptions, 'rounds' | 'partOf'>> = {},
  ): Promise<Standings> {
    return contest(contestants, { rounds: this.options.rounds, say: this.say, ...options });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

function remembered<T>(memory: Map<string, T>, key: object, make: () => T): T {
  const text = JSON.stringify(key);
  const value = memory.get(text) ?? make();
  memory.set(text, value);
  return value;
}
