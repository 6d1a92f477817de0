import { describe, expect, it } from 'vitest';

import { overwriting } from '../../../test/support/overwriting.ts';
import { collect, streamOf } from '../bytes.ts';
import { ContentMismatchError, digestOf, verified } from '../oci/index.ts';
import { Pieces } from './upload-pieces.ts';

const bytes = Buffer.from('0123456789abcdef');
const chunks = [bytes.subarray(0, 7), bytes.subarray(7, 7), bytes.subarray(7)];

async function sent(pieces: Pieces, ...sizes: number[]): Promise<string[]> {
  const texts: string[] = [];
  for (const size of sizes) {
    texts.push((await collect(pieces.next(size), 'it', size)).toString());
  }
  return texts;
}

describe('Pieces', () => {
  it.each([[[16]], [[5, 5, 6]], [[7, 9]], [[1, 14, 1]]])('cuts a stream into %j', async (sizes) => {
    const texts = await sent(new Pieces(streamOf(...chunks), 16, 'it'), ...sizes);
    expect(texts.map(({ length }) => length)).toEqual(sizes);
    expect(texts.join('')).toBe(bytes.toString());
  });

  it('cuts a stream that uses its memory again', async () => {
    const pieces = new Pieces(overwriting(bytes, 6), 16, 'it');
    const texts = await sent(pieces, 5, 11);
    expect(texts.join('')).toBe(bytes.toString());
  });

  it.each([
    ['too few', 17, /ended 1 bytes too early/],
    ['too many', 15, /has more bytes/],
  ])('refuses %s bytes before the last of them leaves', async (_, size, message) => {
    const pieces = new Pieces(streamOf(...chunks), size, 'it');
    const [first] = await sent(pieces, 7);
    expect(first).toHaveLength(7);
    const rest: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of pieces.next(size - 7)) rest.push(chunk);
    })();
    await expect(reading).rejects.toThrow(ContentMismatchError);
    await expect(reading).rejects.toThrow(message);
    expect(Buffer.concat(rest).byteLength).toBeLessThan(size - 7);
  });

  it('holds the last bytes back from a content that does not prove itself', async () => {
    const descriptor = { digest: digestOf('another'), size: 16 };
    const pieces = new Pieces(verified(streamOf(...chunks), descriptor), 16, 'it');
    await sent(pieces, 7);
    const rest: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of pieces.next(9)) rest.push(chunk);
    })();
    await expect(reading).rejects.toThrow(/another digest/);
    expect(rest).toEqual([]);
  });
});
