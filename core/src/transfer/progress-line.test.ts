import { describe, expect, it } from 'vitest';

import { digestOf } from '../oci/index.ts';
import { progressLines } from './progress-line.ts';

const blob = { mediaType: 'x', digest: digestOf('blob'), size: 4096 };
const other = { mediaType: 'x', digest: digestOf('other'), size: 4096 };

describe('progressLines()', () => {
  it('has a line every 10 s of a blob that takes long, and none of one that does not', () => {
    let nowMs = 0;
    const lineOf = progressLines(() => nowMs);
    const said: string[] = [];
    const advance = (descriptor: typeof blob, bytes: number, atMs: number): void => {
      nowMs = atMs;
      const line = lineOf({ type: 'advanced', descriptor, bytes });
      if (line !== undefined) said.push(line);
    };
    advance(blob, 0, 0);
    advance(blob, 1024, 9999);
    advance(other, 1024, 10_000);
    advance(blob, 2048, 10_000);
    advance(blob, 3072, 19_999);
    advance(blob, 3072, 20_000);
    expect(said).toEqual([
      `${blob.digest.slice(7, 19)}  2.0 KiB of 4.0 KiB`,
      `${blob.digest.slice(7, 19)}  3.0 KiB of 4.0 KiB`,
    ]);
  });
});
