import type { Writable } from 'node:stream';

import { describeBytes } from '@reposure/core';
import type { OnProgress, ProgressEvent } from '@reposure/core';
import { progressLineOf, progressLines } from '@reposure/core/transfer';

/** Shows a transfer while it runs. */
export interface ProgressView {
  readonly onProgress: OnProgress;
  /** Writes a line for a person above the bars. */
  note(line: string): void;
  /** Leaves the terminal as whoever writes next expects it. */
  close(): void;
}

interface Item {
  readonly label: string;
  readonly size: number;
  bytes: number;
  state: string;
}

/** Where the lines go, and how much of them is seen. */
type Screen = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

const barWidth = 24;
const redrawMs = 100;
/** The sum, the line that the cursor is on, and one to spare. */
const otherRows = 3;

/** Bars on a terminal, plain lines elsewhere (CI logs keep every line). */
export function progressView(output: Screen): ProgressView {
  return output.isTTY ? new Bars(output) : new Lines(output);
}

class Items {
  readonly byDigest = new Map<string, Item>();

  take(event: ProgressEvent): void {
    if (event.type === 'planned') {
      for (const { digest, size } of event.items) {
        this.byDigest.set(digest, { label: digest.slice(7, 19), size, bytes: 0, state: 'waiting' });
      }
    }
    if (event.type !== 'advanced' && event.type !== 'finished') return;
    const item = this.byDigest.get(event.descriptor.digest);
    if (!item) return;
    if (event.type === 'advanced') {
      item.bytes = Math.max(item.bytes, event.bytes);
      item.state = 'under way';
    } else {
      item.bytes = item.size;
      item.state = event.outcome;
    }
  }

  /** What is under way first, where there is no room for all. */
  shown(most: number): readonly Item[] {
    const all = [...this.byDigest.values()];
    if (all.length <= most) return all;
    const [active, others] = [true, false].map((isActive) =>
      all.filter(({ state }) => (state === 'under way') === isActive),
    );
    return [...(active ?? []), ...(others ?? [])].slice(0, most);
  }

  /** The whole in one line; `undefined` if there is nothing. */
  sum(): string | undefined {
    const all = [...this.byDigest.values()];
    if (all.length === 0) return undefined;
    const reused = bytesIn(all.filter(isReused));
    const moved = all.filter((item) => !isReused(item));
    const total = moved.reduce((bytes, { size }) => bytes + size, 0);
    return `${describeBytes(bytesIn(moved))} of ${describeBytes(total)} travelled, ${describeBytes(reused)} reused`;
  }
}

function isReused({ state }: Item): boolean {
  return state === 'present' || state === 'mounted';
}

function bytesIn(items: readonly Item[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}

class Lines implements ProgressView {
  readonly #output: Writable;
  readonly #lineOf = progressLines();

  constructor(output: Writable) {
    this.#output = output;
  }

  readonly onProgress: OnProgress = (event) => {
    const line = this.#lineOf(event);
    if (line !== undefined) this.note(line);
  };

  note(line: string): void {
    this.#output.write(`${line}\n`);
  }

  close(): void {
    // Lines are whole at any moment.
  }
}

class Bars implements ProgressView {
  readonly #output: Screen;
  readonly #items = new Items();
  #drawnLines = 0;
  #drawnAtMs = 0;

  constructor(output: Screen) {
    this.#output = output;
  }

  readonly onProgress: OnProgress = (event) => {
    this.#items.take(event);
    const line = event.type === 'retrying' ? progressLineOf(event) : undefined;
    if (line !== undefined) this.note(line);
    const isDue = performance.now() - this.#drawnAtMs >= redrawMs;
    if (event.type !== 'advanced' || isDue) this.#draw();
  };

  note(line: string): void {
    this.#erase();
    this.#output.write(`${line}\n`);
    this.#draw();
  }

  close(): void {
    this.#draw();
    this.#drawnLines = 0;
    this.#items.byDigest.clear();
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#output.write(`\u001B[${this.#drawnLines}A\u001B[J`);
    this.#drawnLines = 0;
  }

  #draw(): void {
    this.#erase();
    const { columns = 80, rows = 24 } = this.#output;
    const sum = this.#items.sum();
    // A line that has left the screen cannot be drawn again.
    const bars = this.#items.shown(Math.max(rows - otherRows, 1)).map(drawItem);
    const lines = [...bars, ...(sum ? [sum] : [])].map((line) => line.slice(0, columns - 1));
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
    this.#drawnAtMs = performance.now();
  }
}

function drawItem({ label, size, bytes, state }: Item): string {
  const share = size === 0 ? 1 : Math.min(bytes / size, 1);
  const full = Math.round(share * barWidth);
  const bar = `${'='.repeat(full)}${' '.repeat(barWidth - full)}`;
  return `${label} [${bar}] ${describeBytes(bytes)} of ${describeBytes(size)}  ${state}`;
}
