import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf, documentOf, hostPlatform, mediaTypes } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { manifestOf } from './assembled-source.ts';
import { openSource } from './open-source.ts';
import { failureOf, imageOf, rawTar, sourceOf, useFolder } from './test/fixtures.ts';
import type { RawEntry } from './test/fixtures.ts';
import { assertUnpackable } from './unpack-staging.ts';
import { unpack } from './unpack.ts';
import type { UnpackOptions, Unpacked } from './unpack.ts';

const folder = useFolder();

function unpackLayers(
  layers: readonly (readonly RawEntry[])[],
  options?: UnpackOptions,
): Promise<Unpacked> {
  return unpack(imageOf(layers.map((entries) => rawTar(...entries))), folder('out'), options);
}

const text = (...names: string[]): string => readFileSync(folder('out', ...names), 'utf8');
const names = (...of: string[]): string[] => readdirSync(folder('out', ...of)).toSorted();

describe('unpack()', () => {
  it('applies all layers in order', async () => {
    const result = await unpackLayers([
      [
        { path: 'etc/', type: 'Directory', mode: 0o555 },
        { path: 'etc/a', content: 'old', mode: 0o444 },
        { path: 'etc/b', content: 'kept' },
        { path: 'was-folder/x', content: 'x' },
        { path: 'was-file', content: 'x' },
      ],
      [
        { path: './etc/a', content: 'new', mode: 0o4755 },
        { path: 'was-folder', content: 'file' },
        { path: 'was-file/', type: 'Directory' },
        { path: 'deep/er/file', content: '1' },
        { path: 'link', type: 'SymbolicLink', linkPath: 'etc/b' },
        { path: 'hard', type: 'Link', linkPath: 'etc/b' },
      ],
    ]);
    expect(result).toEqual({ files: 5, bytes: 3 + 4 + 4 + 1 + 4 });
    expect(names()).toEqual(['deep', 'etc', 'hard', 'link', 'was-file', 'was-folder']);
    expect([text('etc', 'a'), text('link'), text('hard'), text('was-folder')]).toEqual([
      'new',
      'kept',
      'kept',
      'file',
    ]);
    // No setuid; and the owner can always get in.
    expect(statSync(folder('out', 'etc', 'a')).mode & 0o7777).toBe(0o755);
    expect(statSync(folder('out', 'etc')).mode & 0o7777).toBe(0o755);
  });

  it('applies whiteouts to lower layers only, whatever the order', async () => {
    await unpackLayers([
      [
        { path: 'gone', content: '1' },
        { path: 'opaque/old', content: '1' },
        { path: 'opaque/both/old', content: '1' },
        { path: 'tree/a/b', content: '1' },
        { path: 'again', content: 'old' },
      ],
      [
        { path: 'opaque/early', content: '2' },
        { path: 'opaque/both/new', content: '2' },
        { path: 'opaque/.wh..wh..opq' },
        { path: 'opaque/late', content: '2' },
        { path: '.wh.gone' },
        { path: '.wh.tree' },
        { path: '.wh.missing' },
        { path: 'no/such/.wh.missing' },
        { path: 'again', content: 'new' },
        { path: '.wh.again' },
        { path: '.wh..wh.plnk/1.2', content: 'books of aufs' },
      ],
    ]);
    expect(names()).toEqual(['again', 'opaque']);
    expect(text('again')).toBe('new');
    expect(names('opaque')).toEqual(['both', 'early', 'late']);
    expect(names('opaque', 'both')).toEqual(['new']);
  });

  it('reads zstd and plain layers', async () => {
    const tar = rawTar({ path: 'a', content: 'x' });
    await unpack(
      imageOf([tar], { pack: zstdCompressSync, layerType: mediaTypes.ociLayerZstd }),
      folder('zstd'),
    );
    await unpack(
      imageOf([tar], { pack: (plain) => plain, layerType: mediaTypes.ociLayer }),
      folder('plain'),
    );
    expect(readdirSync(folder('zstd')).concat(readdirSync(folder('plain')))).toEqual(['a', 'a']);
  });

  it('gives back a folder that was made an image', async () => {
    mkdirSync(folder('in', 'sub'), { recursive: true });
    writeFileSync(folder('in', 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    execFileSync('ln', ['-s', 'sub/run.sh', folder('in', 'run')]);
    const source = await openSource(folder('in'));
    expect(await unpack(source, folder('out'))).toEqual({ files: 1, bytes: 10 });
    await source.close();
    expect(readlinkSync(folder('out', 'run'))).toBe('sub/run.sh');
    expect(statSync(folder('out', 'sub', 'run.sh')).mode & 0o777).toBe(0o755);
  });

  it('takes the platform that is asked for, else this machine’s', async () => {
    const images = ['mine', 'theirs'].map((path) => imageOf([rawTar({ path })]));
    const manifests = images.map(({ root }, at) => ({
      ...root,
      platform: at === 0 ? hostPlatform() : { os: 'plan9', architecture: 'mips' },
    }));
    const index = documentOf({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    const blobs = new Map<Digest, Buffer>(images.flatMap(({ blobs: own }) => Array.from(own)));
    blobs.set(index.descriptor.digest, Buffer.from(index.bytes));
    const source = sourceOf(index.descriptor, blobs);
    await unpack(source, folder('mine'));
    await unpack(source, folder('theirs'), { platform: { os: 'plan9', architecture: 'mips' } });
    expect(readdirSync(folder('mine')).concat(readdirSync(folder('theirs')))).toEqual([
      'mine',
      'theirs',
    ]);
    const none = unpack(source, folder('none'), { platform: { os: 'linux', architecture: 'vax' } });
    expect(await failureOf(none)).toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('takes the titled layers of other tools as files', async () => {
    const blobs = new Map<Digest, Buffer>();
    const add = (content: string): { digest: Digest; size: number } => {
      const digest = digestOf(content);
      blobs.set(digest, Buffer.from(content));
      return { digest, size: content.length };
    };
    const layer = (title: string): Parameters<typeof manifestOf>[1][number] => ({
      mediaType: 'text/plain',
      ...add('hello'),
      annotations: { 'org.opencontainers.image.title': title },
    });
    const image = (title: string): ReturnType<typeof sourceOf> => {
      const manifest = manifestOf({ mediaType: mediaTypes.ociEmpty, ...add('{}') }, [layer(title)]);
      blobs.set(manifest.descriptor.digest, Buffer.from(manifest.bytes));
      return sourceOf(manifest.descriptor, blobs);
    };
    expect(await unpack(image('sub/hello.txt'), folder('out'))).toEqual({ files: 1, bytes: 5 });
    expect(text('sub', 'hello.txt')).toBe('hello');
    expect(await failureOf(unpack(image('../hello.txt'), folder('other')))).toMatchObject({
      code: 'CONTENT_INVALID',
    });
  });

  it('wants a new or an empty folder', async () => {
    mkdirSync(folder('out'));
    await unpackLayers([[{ path: 'a' }]]);
    expect(await failureOf(unpackLayers([[{ path: 'b' }]]))).toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(names()).toEqual(['a']);
    const file = unpack(imageOf([]), folder('out', 'a'));
    expect(await failureOf(file)).toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('leaves out devices and pipes, and says so', async () => {
    const warnings: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: (line: string) => void warnings.push(line),
    };
    await unpackLayers(
      [
        [
          { path: 'dev/null', type: 'CharacterDevice' },
          { path: 'pipe', type: 'FIFO' },
          { path: 'a' },
        ],
      ],
      { log },
    );
    expect(names()).toEqual(['a']);
    expect(warnings.length).toBe(2);
  });
});

describe('unpack() leaves nothing behind', () => {
  const tar = rawTar({ path: 'a', content: 'x'.repeat(3000) });
  it.each([
    ['a diffId that is not true', imageOf([tar], { diffIds: [digestOf('x')] }), 'CONTENT_MISMATCH'],
    ['fewer diffIds than layers', imageOf([tar], { diffIds: [] }), 'CONTENT_INVALID'],
    ['a truncated layer', imageOf([tar.subarray(0, 1000)]), 'CONTENT_INVALID'],
    ['a layer that is no tar', imageOf([Buffer.from('raw file')]), 'CONTENT_INVALID'],
    [
      'a layer that is not packed as it says',
      imageOf([tar], { pack: (plain) => plain }),
      'CONTENT_INVALID',
    ],
    ['a layer of unknown type', imageOf([tar], { layerType: 'text/plain' }), 'UNSUPPORTED'],
  ])('of %s', async (_, image, code) => {
    for (const name of ['new', 'empty']) {
      if (name === 'empty') mkdirSync(folder(name));
      expect(await failureOf(unpack(image, folder(name)))).toMatchObject({ code });
    }
    expect(existsSync(folder('new'))).toBe(false);
    expect(readdirSync(folder('empty'))).toEqual([]);
  });

  it('of content with another digest', async () => {
    const image = imageOf([tar]);
    const [layer] = image.layers;
    const evil = imageOf([rawTar({ path: 'evil', content: 'x'.repeat(3000) })]).blobs;
    for (const bytes of evil.values()) {
      if (layer && bytes.length === layer.size) image.blobs.set(layer.digest, bytes);
    }
    if (layer) image.blobs.set(layer.digest, Buffer.alloc(layer.size));
    expect(String(await failureOf(unpack(image, folder('out'))))).toMatch(/corrupt|another digest/);
    expect(existsSync(folder('out'))).toBe(false);
  });

  it('of more than the limits allow', async () => {
    const layers = [[{ path: 'a', content: Buffer.alloc(500_000) }, { path: 'b' }]];
    for (const limits of [{ maxEntries: 1 }, { maxBytes: 400_000 }]) {
      expect(await failureOf(unpackLayers(layers, { limits }))).toMatchObject({
        code: 'LIMIT_EXCEEDED',
      });
      expect(existsSync(folder('out'))).toBe(false);
    }
  });

  it('when it is stopped', async () => {
    const stopped = unpackLayers([[{ path: 'a' }]], { signal: AbortSignal.abort() });
    expect(await failureOf(stopped)).toMatchObject({ name: 'AbortError' });
    expect(existsSync(folder('out'))).toBe(false);
  });
});

describe('unpack() stays in its folder', () => {
  function trap(): string {
    mkdirSync(folder('outside'));
    writeFileSync(folder('outside', 'secret'), 'secret');
    return folder('outside');
  }

  const outside = (): string[] =>
    readdirSync(folder('outside')).map(
      (name) => `${name}: ${readFileSync(folder('outside', name), 'utf8')}`,
    );

  const intoLink = (target: string): Record<string, RawEntry[][]> => ({
    'a file through a link (CVE-2019-1002101)': [
      [
        { path: 'link', type: 'SymbolicLink', linkPath: target },
        { path: 'link/secret', content: 'evil' },
      ],
    ],
    'a file through the link of an earlier layer': [
      [{ path: 'link', type: 'SymbolicLink', linkPath: target }],
      [{ path: 'link/secret', content: 'evil' }],
    ],
    'a file through two links (CVE-2019-11246)': [
      [
        { path: 'one', type: 'SymbolicLink', linkPath: target },
        { path: 'two', type: 'SymbolicLink', linkPath: 'one' },
        { path: 'two/secret', content: 'evil' },
      ],
    ],
    'a folder through a link': [
      [
        { path: 'link', type: 'SymbolicLink', linkPath: target },
        { path: 'link/new/', type: 'Directory' },
      ],
    ],
    'a whiteout through a link': [
      [{ path: 'link', type: 'SymbolicLink', linkPath: target }],
      [{ path: 'link/.wh.secret' }],
    ],
    'a whiteout below a link': [
      [{ path: 'link', type: 'SymbolicLink', linkPath: target }],
      [{ path: 'link/sub/.wh..wh..opq' }],
    ],
    'a hard link through a link (CVE-2021-21272)': [
      [
        { path: 'link', type: 'SymbolicLink', linkPath: target },
        { path: 'stolen', type: 'Link', linkPath: 'link/secret' },
      ],
    ],
    'a file into its parent': [[{ path: '../outside/secret', content: 'evil' }]],
    'a file through its parent': [[{ path: 'a/../../outside/secret', content: 'evil' }]],
    'a hard link to its parent (CVE-2026-50163)': [
      [{ path: 'stolen', type: 'Link', linkPath: '../outside/secret' }],
    ],
    'a whiteout of its parent': [[{ path: 'a/b', content: '1' }], [{ path: 'a/.wh...' }]],
    'a whiteout of a folder itself': [[{ path: 'a/b', content: '1' }], [{ path: 'a/.wh..' }]],
  });

  it.each(Object.keys(intoLink('')))('refuses %s', async (name) => {
    for (const target of [trap(), '../outside', '.']) {
      const failure = await failureOf(unpackLayers(intoLink(target)[name] ?? []));
      expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
    }
    expect(outside()).toEqual(['secret: secret']);
    expect(existsSync(folder('out'))).toBe(false);
  });

  it('clears no opaque folder that is a link', async () => {
    await failureOf(
      unpackLayers([
        [{ path: 'link', type: 'SymbolicLink', linkPath: trap() }],
        [{ path: 'link/.wh..wh..opq' }],
      ]),
    );
    expect(outside()).toEqual(['secret: secret']);
  });

  it('makes absolute links its own (CVE-2026-23745)', async () => {
    await unpackLayers([
      [
        { path: 'bin/busybox', content: 'busybox' },
        { path: 'bin/sh', type: 'SymbolicLink', linkPath: '/bin/busybox' },
        { path: 'usr/bin/env', type: 'SymbolicLink', linkPath: '/bin/busybox' },
        { path: 'passwd', type: 'SymbolicLink', linkPath: `${trap()}/secret` },
        { path: 'up', type: 'SymbolicLink', linkPath: '../../../../../../etc/passwd' },
        { path: 'top', type: 'SymbolicLink', linkPath: '/' },
        { path: 'stolen', type: 'Link', linkPath: `${folder('outside')}/secret` },
      ],
    ]);
    expect([text('bin', 'sh'), text('usr', 'bin', 'env')]).toEqual(['busybox', 'busybox']);
    expect(readlinkSync(folder('out', 'up'))).toBe('etc/passwd');
    expect(readlinkSync(folder('out', 'top'))).toBe('.');
    for (const name of ['passwd', 'up', 'stolen'])
      expect(existsSync(folder('out', name))).toBe(false);
  });

  it('makes no hard link to a symbolic one (CVE-2026-26960)', async () => {
    await unpackLayers([
      [
        { path: 'a', type: 'SymbolicLink', linkPath: `${trap()}/secret` },
        { path: 'b', type: 'Link', linkPath: 'a' },
        { path: 'b', content: 'evil' },
      ],
    ]);
    expect(lstatSync(folder('out', 'b')).isFile()).toBe(true);
    expect(outside()).toEqual(['secret: secret']);
  });

  it('replaces a link instead of writing to its target', async () => {
    await unpackLayers([
      [{ path: 'a', type: 'SymbolicLink', linkPath: `${trap()}/secret` }],
      [{ path: 'a', content: 'mine' }],
    ]);
    expect(outside()).toEqual(['secret: secret']);
    expect(text('a')).toBe('mine');
  });

  it('writes to no other name of a file', async () => {
    await unpackLayers([
      [
        { path: 'a', content: 'first' },
        { path: 'b', type: 'Link', linkPath: 'a' },
      ],
      [{ path: 'b', content: 'second' }],
    ]);
    expect([text('a'), text('b')]).toEqual(['first', 'second']);
  });

  it('refuses links that lead out by way of others', async () => {
    trap();
    const failure = await failureOf(
      unpackLayers([
        [
          { path: 'd', type: 'SymbolicLink', linkPath: '.' },
          { path: 'e', type: 'SymbolicLink', linkPath: 'd/d/d/../../../outside/secret' },
          { path: 'f', type: 'SymbolicLink', linkPath: 'd/d/d/..' },
        ],
      ]),
    );
    expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
    expect(String(failure)).toMatch(/"f": this link leads out|"e": this link leads out/);
    expect(existsSync(folder('out'))).toBe(false);
  });

  it('refuses a name with a zero byte in its pax record', async () => {
    const record = '14 path=a\0bcd\n';
    const failure = await failureOf(
      unpackLayers([[{ path: 'x', type: 'ExtendedHeader', content: record }, { path: 'a' }]]),
    );
    expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
  });
});

describe('assertUnpackable()', () => {
  it('lets pass what is new or empty, and makes nothing', async () => {
    mkdirSync(folder('empty'));
    await assertUnpackable(folder('empty'));
    await assertUnpackable(folder('new', 'deep'));
    expect(readdirSync(folder())).toEqual(['empty']);
  });

  it('refuses what unpack() refuses, in the same words', async () => {
    mkdirSync(folder('full'));
    writeFileSync(folder('full', 'file'), 'x');
    for (const place of [folder('full'), folder('full', 'file')]) {
      const late = await failureOf(unpack(imageOf([rawTar({ path: 'a' })]), place));
      expect(late).toMatchObject({ code: 'INPUT_INVALID' });
      expect(await failureOf(assertUnpackable(place))).toEqual(late);
    }
  });
});
