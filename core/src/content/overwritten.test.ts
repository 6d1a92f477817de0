import { createHash, randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { overwriting } from '../../../test/support/overwriting.ts';
import { collect } from '../bytes.ts';
import { digestOf } from '../oci/index.ts';
import { StreamCursor } from './cursor.ts';
import { diffIdOf } from './diff-id.ts';
import { packed, parsePacking, unpacked } from './packing.ts';

const bytes = randomBytes(1_000_000);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('what is read from memory that is used again', () => {
  it('is collected as it was', async () => {
    expect(sha256(await collect(overwriting(bytes, 999), 'it', 1e7))).toBe(sha256(bytes));
  });

  it.each([1, 2, 7, 600])('is taken across chunks of %i bytes', async (chunkBytes) => {
    const cursor = new StreamCursor(overwriting(bytes.subarray(0, 2000), chunkBytes), 'it');
    expect(await cursor.take(512)).toEqual(bytes.subarray(0, 512));
    expect(await cursor.take(1000)).toEqual(bytes.subarray(512, 1512));
  });

  it.each([
    ['gzip', gzipSync(bytes)],
    ['zstd', Buffer.concat([zstdCompressSync(bytes), zstdCompressSync(bytes)])],
    ['none', bytes],
  ] as const)('is unpacked: %s', async (compression, stored) => {
    for (const chunkBytes of [7_777, 100_000]) {
      const content = unpacked(overwriting(stored, chunkBytes), compression, 'it');
      const twice = compression === 'zstd' ? Buffer.concat([bytes, bytes]) : bytes;
      expect(sha256(await collect(content, 'it', 1e7))).toBe(sha256(twice));
      const { diffId } = await diffIdOf(overwriting(stored, chunkBytes), 1e6, 'it');
      expect(diffId).toBe(digestOf(twice));
    }
  });

  it.each(['gzip', 'zstd'] as const)('is packed: %s', async (compression) => {
    const stored = packed(overwriting(bytes, 50_000), parsePacking(compression));
    expect(sha256(await collect(unpacked(stored, compression, 'it'), 'it', 1e7))).toBe(
      sha256(bytes),
    );
  });
});
