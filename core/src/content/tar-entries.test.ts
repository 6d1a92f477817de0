import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';

import { Header } from 'tar';
import { describe, expect, it } from 'vitest';

import { StreamCursor } from './cursor.ts';
import { isTarHeader, readTarEntries } from './tar-entries.ts';
import type { TarEntry } from './tar-entries.ts';
import { tarHeaderOf, tarEnd } from './tar-headers.ts';
import { parsePaxRecords } from './tar-records.ts';
import { failureOf, inChunks, rawEntry, rawTar, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();

async function entriesOf(tar: Buffer, chunk = 1000): Promise<(TarEntry & { content: string })[]> {
  const cursor = new StreamCursor(inChunks(tar, chunk), 'x.tar');
  const entries: (TarEntry & { content: string })[] = [];
  for await (const entry of readTarEntries(cursor)) {
    entries.push({ ...entry, content: String(await whole(cursor.body(entry.size))) });
  }
  return entries;
}

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${rest}`;
}

describe('readTarEntries()', () => {
  it('reads names, types, modes and contents', async () => {
    const tar = rawTar(
      { path: 'a/', type: 'Directory', mode: 0o750 },
      { path: 'a/b', content: 'hello', mode: 0o4755 },
      { path: 'c', type: 'SymbolicLink', linkPath: 'a/b' },
      { path: 'd', type: 'Link', linkPath: 'a/b', size: 5 },
      { path: 'e', type: 'CharacterDevice' },
      { path: 'f', content: 'last' },
    );
    expect(await entriesOf(tar)).toMatchObject([
      { type: 'folder', path: 'a/', mode: 0o750 },
      { type: 'file', path: 'a/b', mode: 0o4755, content: 'hello' },
      { type: 'symlink', path: 'c', linkPath: 'a/b' },
      // A hard link has no content, whatever its size says: so it is for container runtimes.
      { type: 'hardlink', path: 'd', linkPath: 'a/b', size: 0 },
      { type: 'other', path: 'e' },
      { type: 'file', path: 'f', content: 'last' },
    ]);
  });

  it('passes over what the caller does not read', async () => {
    const tar = rawTar({ path: 'a', content: Buffer.alloc(5000) }, { path: 'b', content: 'x' });
    const cursor = new StreamCursor(inChunks(tar, 333), 'x');
    const names = (await Array.fromAsync(readTarEntries(cursor))).map(({ path }) => path);
    expect(names).toEqual(['a', 'b']);
  });

  it.each(['gnu', 'pax', 'ustar', 'v7'])('reads what GNU tar writes as %s', async (format) => {
    const long = format === 'ustar' || format === 'v7' ? 'short' : `${'long'.repeat(40)}ü`;
    mkdirSync(folder('in', 'sub'), { recursive: true });
    writeFileSync(folder('in', 'sub', long), 'content');
    symlinkSync(`${long}-target`, folder('in', 'sub', 'zlink'));
    const tar = execFileSync('tar', [
      `--format=${format}`,
      '-C',
      folder('in'),
      '--sort=name',
      '-c',
      'sub',
    ]);
    expect(await entriesOf(tar)).toMatchObject([
      { type: 'folder', path: 'sub/' },
      { type: 'file', path: `sub/${long}`, content: 'content' },
      { type: 'symlink', path: 'sub/zlink', linkPath: `${long}-target` },
    ]);
  });

  it('reads back what we write: long, non-ASCII and many-lined names', async () => {
    const paths = ['plain', 'ü', 'a\nb', `${'deep/'.repeat(60)}file`, 'x'.repeat(300)];
    const tar = Buffer.concat([
      ...paths.map((path) => tarHeaderOf({ type: 'File', path })),
      tarHeaderOf({ type: 'SymbolicLink', path: 'link', linkPath: 'to/'.repeat(80) }),
      tarEnd,
    ]);
    const read = await entriesOf(tar);
    expect(read.map(({ path }) => path)).toEqual([...paths, 'link']);
    expect(read.at(-1)?.linkPath).toBe('to/'.repeat(80));
  });

  it('reads sizes beyond 8 GiB, in base 256 and in pax records', async () => {
    const size = 9 * 1024 ** 3;
    for (const header of [
      tarHeaderOf({ type: 'File', path: 'huge', size }),
      tarHeaderOf({ type: 'File', path: 'huge', size }).subarray(-512),
    ]) {
      const cursor = new StreamCursor(inChunks(header, 512), 'x');
      const { value } = await readTarEntries(cursor).next();
      expect(value).toMatchObject({ path: 'huge', size });
    }
  });

  it('does not let a pax size change the headers between it and its file', async () => {
    const tar = Buffer.concat([
      rawEntry({ path: 'x', type: 'ExtendedHeader', content: record('size', '4') }),
      rawEntry({ path: 'L', type: 'NextFileHasLongPath', content: 'longer-than-four\0' }),
      rawEntry({ path: 'short', content: 'abcd', size: 9 }),
      Buffer.alloc(1024),
    ]);
    expect(await entriesOf(tar)).toMatchObject([
      { path: 'longer-than-four', size: 4, content: 'abcd' },
    ]);
  });

  it('keeps what an extension says to the one entry behind it', async () => {
    const tar = Buffer.concat([
      rawEntry({ path: 'x', type: 'ExtendedHeader', content: record('path', 'first') }),
      rawEntry({ path: 'one' }),
      rawEntry({ path: 'g', type: 'GlobalExtendedHeader', content: record('path', 'all') }),
      rawTar({ path: 'two' }),
    ]);
    expect((await entriesOf(tar)).map(({ path }) => path)).toEqual(['first', 'two']);
  });

  const good = rawTar({ path: 'a', content: 'x'.repeat(2000) });
  it.each([
    ['a cut content', good.subarray(0, 1500), /is truncated/],
    ['a cut header', good.subarray(0, 300), /is truncated/],
    ['a wrong checksum', Buffer.from(good).fill('b', 0, 1), /wrong checksum/],
    ['rubbish', Buffer.alloc(600, 'rubbish'), /wrong checksum/],
    ['a folder with content', rawTar({ path: 'a/', content: 'x' }), /a folder has content/],
    [
      'a folder by its pax name, with content',
      Buffer.concat([
        rawEntry({ path: 'x', type: 'ExtendedHeader', content: record('path', 'a/') }),
        rawTar({ path: 'a', content: 'x' }),
      ]),
      /a folder has content/,
    ],
    [
      'a sparse file',
      Buffer.concat([
        rawEntry({ path: 'x', type: 'ExtendedHeader', content: record('GNU.sparse.major', '1') }),
        rawTar({ path: 'a' }),
      ]),
      /sparse/,
    ],
    [
      'a malformed pax record',
      Buffer.concat([
        rawEntry({ path: 'x', type: 'ExtendedHeader', content: '99 path=a\n' }),
        rawTar({ path: 'a' }),
      ]),
      /pax record is malformed/,
    ],
    [
      'a pax size that is no number',
      Buffer.concat([
        rawEntry({ path: 'x', type: 'ExtendedHeader', content: record('size', '-1') }),
        rawTar({ path: 'a' }),
      ]),
      /no valid size/,
    ],
    [
      'a name of gigabytes',
      rawEntry({ path: 'L', type: 'NextFileHasLongPath', size: 2 ** 31 }),
      /has 2147483648 bytes/,
    ],
  ])('refuses %s', async (_, tar, message) => {
    const failure = await failureOf(entriesOf(tar));
    expect(failure).toMatchObject({
      code: 'CONTENT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('takes a tar without end mark, and says so', async () => {
    const reader = readTarEntries(new StreamCursor(inChunks(rawEntry({ path: 'a' })), 'x'));
    await reader.next();
    expect(await reader.next()).toEqual({ done: true, value: false });
  });
});

describe('parsePaxRecords()', () => {
  it('goes by lengths, not by lines', () => {
    const bytes = Buffer.from(record('path', 'a\n12 size=9\nb') + record('comment', 'x=y'));
    expect(parsePaxRecords(bytes)).toEqual(
      new Map([
        ['path', 'a\n12 size=9\nb'],
        ['comment', 'x=y'],
      ]),
    );
  });
});

describe('isTarHeader()', () => {
  it('takes a header, and neither text nor zeros', () => {
    const block = Buffer.alloc(512);
    new Header({ path: 'a', type: 'File', size: 0, mode: 0o644 }).encode(block);
    expect(isTarHeader(block)).toBe(true);
    expect(isTarHeader(block.subarray(0, 100))).toBe(false);
    expect(isTarHeader(Buffer.alloc(512))).toBe(false);
    expect(isTarHeader(Buffer.alloc(512, 'text '))).toBe(false);
  });
});
