import { describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { jsonLines } from './json-lines.ts';

describe('jsonLines()', () => {
  it.each([1, 2, 3, 7, 1000])('reads texts that come %i bytes at a time', async (size) => {
    const values = [{ name: 'Grüße 🚢' }, 'a\nb', [1, 2]];
    const bytes = Buffer.from(`${values.map((it_) => JSON.stringify(it_)).join('\n')}\n\n`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    await expect(Array.fromAsync(jsonLines(streamOf(...chunks)))).resolves.toEqual(values);
  });

  it('reads a last line without an end, and refuses half of one', async () => {
    await expect(Array.fromAsync(jsonLines(streamOf(Buffer.from('1\n2'))))).resolves.toEqual([
      1, 2,
    ]);
    await expect(Array.fromAsync(jsonLines(streamOf(Buffer.from('1\n{"a'))))).rejects.toThrow(
      SyntaxError,
    );
  });
});
