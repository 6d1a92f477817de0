import { Writable } from 'node:stream';

import { digestOf } from '@reposure/core/oci';
import { describe, expect, it } from 'vitest';

import { progressView } from './progress-view.ts';

const blob = { mediaType: 'x', digest: digestOf('blob'), size: 2048 };

function recorder(isTTY: boolean): {
  output: Writable & { isTTY: boolean; columns: number };
  text: () => string;
} {
  let text = '';
  const output = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { output: Object.assign(output, { isTTY, columns: 100 }), text: () => text };
}

describe('progressView()', () => {
  it('writes one plain line per blob where nobody watches, and no control characters', () => {
    const { output, text } = recorder(false);
    const view = progressView(output);
    view.onProgress({ type: 'planned', items: [blob], totalBytes: 2048 });
    view.onProgress({ type: 'advanced', descriptor: blob, bytes: 1024 });
    view.onProgress({ type: 'retrying', what: blob.digest, reason: 'lost', delayMs: 1500 });
    view.onProgress({ type: 'finished', descriptor: blob, outcome: 'sent' });
    view.close();
    expect(text().split('\n')).toEqual([
      expect.stringContaining('again in 1.5 s: lost'),
      `${blob.digest.slice(7, 19)}  sent  2.0 KiB`,
      '',
    ]);
  });

  it('draws a bar per blob on a terminal, and leaves them standing at the end', () => {
    const { output, text } = recorder(true);
    const view = progressView(output);
    view.onProgress({ type: 'planned', items: [blob], totalBytes: 2048 });
    view.onProgress({ type: 'finished', descriptor: blob, outcome: 'sent' });
    view.close();
    const last = text().split('\u001B[J').at(-1);
    expect(last).toBe(
      `${blob.digest.slice(7, 19)} [${'='.repeat(24)}] 2.0 KiB of 2.0 KiB  sent\n2.0 KiB of 2.0 KiB travelled, 0 B reused\n`,
    );
  });

  it('never goes back, and tells what travelled from what was there', () => {
    const { output, text } = recorder(true);
    const view = progressView(output);
    const there = { mediaType: 'x', digest: digestOf('there'), size: 1024 };
    view.onProgress({ type: 'planned', items: [blob, there], totalBytes: 2048 });
    view.onProgress({ type: 'finished', descriptor: there, outcome: 'mounted' });
    view.onProgress({ type: 'advanced', descriptor: blob, bytes: 1536 });
    view.onProgress({ type: 'advanced', descriptor: blob, bytes: 512 });
    view.note('a line');
    expect(text()).toMatch(/1\.5 KiB of 2\.0 KiB travelled, 1\.0 KiB reused\n$/);
    view.close();
  });

  it('draws no more lines than the terminal has, and what is under way first', () => {
    const { output, text } = recorder(true);
    const view = progressView(Object.assign(output, { rows: 8 }));
    const items = Array.from({ length: 20 }, (_, at) => ({ ...blob, digest: digestOf(`${at}`) }));
    const [last = blob] = items.slice(-1);
    view.onProgress({ type: 'planned', items, totalBytes: 40_960 });
    view.onProgress({ type: 'advanced', descriptor: last, bytes: 1024 });
    view.note('a line');
    const drawn = (text().split('a line\n').at(-1) ?? '').trimEnd().split('\n');
    expect(drawn).toHaveLength(6);
    expect(drawn[0]).toContain(last.digest.slice(7, 19));
    view.close();
  });
});
