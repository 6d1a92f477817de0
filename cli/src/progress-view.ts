import type { Writable } from 'node:stream';

import { describeBytes } from '@reposure/core';
import type { OnProgress, ProgressEvent } from '@reposure/core';
import { progressLineOf } from '@reposure/core/transfer';

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

const barWidth = 24;
const redrawMs = 100;

/** Bars on a terminal, plain lines elsewhere (CI logs keep every line). */
export function progressView(
  output: Writable & { readonly isTTY?: boolean; readonly columns?: number },
): ProgressView {
  return output.isTTY ? new Bars(output) : new Lines(output);
}

class Items {
  readonly byDigest = new Map<string, Item>();

  /** @returns What the event is about; `undefined` if it is about the whole. */
  take(event: ProgressEvent): Item | undefined {
    if (event.type === 'planned') {
      for (const { digest, size } of event.items) {
        this.byDigest.set(digest, { label: digest.slice(7, 19), size, bytes: 0, state: 'waiting' });
      }
      return undefined;
    }
    if (event.type === 'retrying') return undefined;
    const item = this.byDigest.get(event.descriptor.digest);
    if (!item) return undefined;
    if (event.type === 'advanced') {
      item.bytes = event.bytes;
      item.state = 'under way';
    } else {
      item.bytes = item.size;
      item.state = event.outcome;
    }
    return item;
  }
}

class Lines implements ProgressView {
  readonly #output: Writable;

  constructor(output: Writable) {
    this.#output = output;
  }

  readonly onProgress: OnProgress = (event) => {
    const line = progressLineOf(event);
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
  readonly #output: Writable & { readonly columns?: number };
  readonly #items = new Items();
  #drawnLines = 0;
  #drawnAtMs = 0;

  constructor(output: Writable & { readonly columns?: number }) {
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
    const columns = this.#output.columns ?? 80;
    const lines = [...this.#items.byDigest.values()].map((item) =>
      drawItem(item).slice(0, columns - 1),
    );
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
