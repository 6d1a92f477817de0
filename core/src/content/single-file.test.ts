import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { openSource } from './open-source.ts';
import { singleFileOf } from './single-file.ts';
import { failureOf, imageOf, rawTar, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();

describe('singleFileOf()', () => {
  it('gives back a file that was made an image, any number of times', async () => {
    const content = Buffer.alloc(400_000, 'content ');
    writeFileSync(folder('hello.txt'), content);
    const source = await openSource(folder('hello.txt'));
    const file = await singleFileOf(source);
    expect(file?.name).toBe('hello.txt');
    for (const _ of [1, 2]) {
      expect(file && (await whole(file.content())).equals(content)).toBe(true);
    }
    await source.close();
  });

  it.each([
    ['two files', [rawTar({ path: 'a' }, { path: 'b' })]],
    ['a file in a second layer', [rawTar({ path: 'a' }), rawTar({ path: 'b' })]],
    ['a folder', [rawTar({ path: 'a/', type: 'Directory' })]],
    ['a link', [rawTar({ path: 'a', type: 'SymbolicLink', linkPath: 'b' })]],
    ['a whiteout', [rawTar({ path: '.wh.a' })]],
    ['nothing', [rawTar()]],
    ['no layer', []],
  ])('is undefined for %s', async (_, layers) => {
    expect(await singleFileOf(imageOf(layers))).toBeUndefined();
  });

  it('does not end well if what follows the file is not true', async () => {
    const image = imageOf([rawTar({ path: 'a', content: 'x' })]);
    const file = await singleFileOf(image);
    const [layer] = image.layers;
    const bytes = layer && image.blobs.get(layer.digest);
    // The last byte of gzip's length field.
    bytes?.fill(1, bytes.length - 1);
    const failure = file && (await failureOf(whole(file.content())));
    expect(failure).toMatchObject({ code: expect.stringMatching(/CONTENT_(?:INVALID|MISMATCH)/) });
  });
});
