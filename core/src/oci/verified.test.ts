import { describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { digestOf } from './digest.ts';
import { ContentMismatchError, verified } from './verified.ts';

const text = 'hello world';
const expected = { digest: digestOf(text), size: text.length };
const inChunks = (content: string): AsyncIterable<Uint8Array> =>
  streamOf(Buffer.from(content.slice(0, 3)), Buffer.from(content.slice(3)));

describe('verified()', () => {
  it('passes on what is true', async () => {
    const chunks = await Array.fromAsync(verified(inChunks(text), expected));
    expect(Buffer.concat(chunks).toString()).toBe(text);
  });

  it.each([
    ['a missing byte', text.slice(1), /ended after 10 of 11 bytes/],
    ['an extra byte', `${text}!`, /more than 11 bytes/],
    ['an altered byte', text.replace('w', 'W'), /content of another digest/],
    ['nothing', '', /ended after 0 of 11 bytes/],
  ])('refuses %s', async (_, altered, message) => {
    const failure = await Array.fromAsync(verified(inChunks(altered), expected)).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ContentMismatchError);
    expect(failure).toMatchObject({
      code: 'CONTENT_MISMATCH',
      message: expect.stringMatching(message),
    });
  });

  it('stops reading as soon as there is too much', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      for (;;) {
        given++;
        yield Buffer.alloc(8);
      }
    }
    await expect(Array.fromAsync(verified(endless(), expected))).rejects.toThrow(/more than/);
    expect(given).toBe(2);
  });
});
