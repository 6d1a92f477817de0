import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { ContentInvalidError } from '../oci/index.ts';
import { diffIdOf } from './diff-id.ts';

const tar = Buffer.alloc(300_000, 'a layer');
const expected = {
  diffId: `sha256:${createHash('sha256').update(tar).digest('hex')}`,
  size: tar.length,
};

describe('diffIdOf()', () => {
  it.each([
    ['a plain layer', tar],
    ['a gzipped layer', gzipSync(tar)],
    [
      'a layer of several zstd frames',
      Buffer.concat([tar.subarray(0, 7), tar.subarray(7)].map((part) => zstdCompressSync(part))),
    ],
  ])('is the hash of what %s unpacks to', async (_, layer) => {
    expect(await diffIdOf(streamOf(layer), layer.length, 'the layer')).toMatchObject(expected);
  });

  it('sees the head of a layer that arrives byte by byte', async () => {
    async function* byBytes(): AsyncGenerator<Uint8Array> {
      for (const byte of gzipSync(tar)) yield Uint8Array.of(byte);
    }
    expect(await diffIdOf(byBytes(), 400, 'the layer')).toEqual({
      ...expected,
      compression: 'gzip',
    });
  });

  it('refuses a layer that is cut', async () => {
    const cut = gzipSync(tar).subarray(0, -20);
    await expect(diffIdOf(streamOf(cut), cut.length, 'the layer')).rejects.toThrow(
      ContentInvalidError,
    );
  });
});
