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
    expect(last).toBe(`${blob.digest.slice(7, 19)} [${'='.repeat(24)}] 2.0 KiB of 2.0 KiB  sent\n`);
  });
});
