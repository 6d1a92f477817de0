import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf, documentOf, mediaTypes, parseDocument } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { FindLayers, Source } from './content.ts';
import { openSource } from './open-source.ts';
import { singleFileOf } from './single-file.ts';
import {
  dockerTar,
  failureOf,
  imageOf,
  inChunks,
  layoutTar,
  rawTar,
  useFolder,
  whole,
  writeLayout,
} from './test/fixtures.ts';

const folder = useFolder();
const layer = rawTar({ path: 'hello.txt', content: 'hello' });
const image = imageOf([layer]);
const named = { ...image.root, annotations: { 'org.opencontainers.image.ref.name': '1.2.3' } };

/** Opens, looks, closes, and sees to it that nothing stays. */
async function look<T>(
  text: string,
  see: (source: Source) => Promise<T> | T,
  options: Parameters<typeof openSource>[1] = {},
): Promise<T> {
  mkdirSync(folder('temporary'), { recursive: true });
  const source = await openSource(text, { temporaryDirectory: folder('temporary'), ...options });
  try {
    return await see(source);
  } finally {
    await source.close();
    expect(readdirSync(folder('temporary'))).toEqual([]);
  }
}

async function refusal(
  text: string,
  options: Parameters<typeof openSource>[1] = {},
): Promise<unknown> {
  mkdirSync(folder('temporary'), { recursive: true });
  const failure = await failureOf(
    openSource(text, { temporaryDirectory: folder('temporary'), ...options }),
  );
  expect(readdirSync(folder('temporary'))).toEqual([]);
  return failure;
}

describe('openSource()', () => {
  it('tells an OCI layout by its content', async () => {
    writeLayout(folder('layout'), image.blobs, [named]);
    const seen = await look(folder('layout'), async (source) => ({
      root: source.root,
      names: source.names,
      bytes: await whole(source.read(image.config)),
      rest: await whole(source.read(image.config, { offset: 5 })),
    }));
    const config = image.blobs.get(image.config.digest);
    expect(seen).toEqual({
      root: image.root,
      names: ['1.2.3'],
      bytes: config,
      rest: config?.subarray(5),
    });
  });

  const plain = (tar: Buffer): Buffer => tar;
  const twoMembers = (tar: Buffer): Buffer =>
    Buffer.concat([gzipSync(tar.subarray(0, 600)), gzipSync(tar.subarray(600))]);
  const twoFrames = (tar: Buffer): Buffer =>
    Buffer.concat([zstdCompressSync(tar.subarray(0, 600)), zstdCompressSync(tar.subarray(600))]);
  const packings: [string, (tar: Buffer) => Buffer][] = [
    ['plain', plain],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['gzip of several members', twoMembers],
    ['zstd of several frames', twoFrames],
  ];

  it.each(packings)('tells archives by their content, not their name: %s', async (_, pack) => {
    writeFileSync(folder('oci.bin'), pack(layoutTar(image.blobs, [named])));
    expect(await look(folder('oci.bin'), ({ root }) => root)).toEqual(image.root);
    writeFileSync(
      folder('docker.txt'),
      pack(dockerTar([{ layers: [layer], tags: ['app:1.2.3'] }])),
    );
    const seen = await look(folder('docker.txt'), async (source) => ({
      names: source.names,
      file: (await singleFileOf(source))?.name,
    }));
    expect(seen).toEqual({ names: ['app:1.2.3'], file: 'hello.txt' });
  });

  it.each(packings)('reads standard input, %s', async (_, pack) => {
    const stdin = inChunks(pack(layoutTar(image.blobs, [named])), 500);
    expect(await look('-', ({ root }) => root, { stdin })).toEqual(image.root);
  });

  it('prefers the index of an archive that has both: it keeps the digests', async () => {
    const docker = dockerTar([{ layers: [layer], tags: ['app:1'] }]).subarray(0, -1024);
    const both = Buffer.concat([docker, layoutTar(image.blobs, [named])]);
    writeFileSync(folder('both.tar'), both);
    expect(await look(folder('both.tar'), ({ root }) => root)).toEqual(image.root);
    const asDocker = await look(`docker-archive:${folder('both.tar')}`, ({ names }) => names);
    expect(asDocker).toEqual(['app:1']);
  });

  it('takes an archive that has both for docker, if the layers of its index are unpacked', async () => {
    const unpackedImage = imageOf([layer], {
      pack: (tar) => tar,
      layerType: mediaTypes.ociLayer,
    });
    const docker = dockerTar([{ layers: [layer], tags: ['app:1'] }]).subarray(0, -1024);
    const both = Buffer.concat([docker, layoutTar(unpackedImage.blobs, [unpackedImage.root])]);
    writeFileSync(folder('both.tar'), both);
    const asked: string[] = [];
    const findLayers: FindLayers = async (diffIds) => {
      asked.push(...diffIds);
      return new Map();
    };
    const names = await look(folder('both.tar'), (source) => source.names, { findLayers });
    expect(names).toEqual(['app:1']);
    expect(asked).toEqual([digestOf(layer)]);
    const asLayout = await look(`oci-archive:${folder('both.tar')}`, ({ root }) => root);
    expect(asLayout).toEqual(unpackedImage.root);
  });

  it('makes an image of any other file or folder, and of a tar when told', async () => {
    writeFileSync(folder('hello.txt'), 'hello');
    writeFileSync(folder('plain.tar'), rawTar({ path: 'a' }));
    mkdirSync(folder('some'));
    for (const text of [folder('hello.txt'), `file:${folder('plain.tar')}`, folder('some')]) {
      expect(await look(text, ({ root }) => root.mediaType)).toBe(mediaTypes.ociManifest);
    }
  });

  it('takes a packed file that is no tar for a file', async () => {
    writeFileSync(folder('notes.gz'), gzipSync('notes'));
    const file = await look(
      folder('notes.gz'),
      async (source) => (await singleFileOf(source))?.name,
    );
    expect(file).toBe('notes.gz');
  });

  it.each([
    ['a missing file', 'missing.tar', /there is no such file/, 'NOT_FOUND'],
    ['a missing layout', 'oci:missing', /there is no such file or folder/, 'NOT_FOUND'],
    ['nothing', 'oci:', /want a path/, 'INPUT_INVALID'],
  ])('refuses %s', async (_, text, message, code) => {
    expect(await refusal(text)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  const docker = dockerTar([{ layers: [layer] }]);
  it.each([
    [
      'without a manifest',
      rawTar({ path: 'a' }),
      /has no manifest.*write file:.*app\.tar/,
      'INPUT_INVALID',
    ],
    ['that is empty', Buffer.alloc(0), /app\.tar: it is empty/, 'INPUT_INVALID'],
    ['that is no tar', Buffer.from('just text '.repeat(99)), /app\.tar/, 'CONTENT_INVALID'],
    [
      'cut in an entry',
      docker.subarray(0, docker.length - 1500),
      /app\.tar: it is truncated/,
      'CONTENT_INVALID',
    ],
    [
      'cut between two entries',
      docker.subarray(0, 1024),
      /no end mark, so it is truncated/,
      'CONTENT_INVALID',
    ],
    ['cut, of gzip', gzipSync(docker).subarray(0, -30), /app\.tar.*truncated/, 'CONTENT_INVALID'],
    [
      'cut, of zstd',
      zstdCompressSync(docker).subarray(0, -30),
      /app\.tar.*truncated/,
      'CONTENT_INVALID',
    ],
    ['corrupt, of gzip', gzipSync(docker).fill(9, 60, 90), /app\.tar.*corrupt/, 'CONTENT_INVALID'],
  ])('refuses an archive %s', async (_, bytes, message, code) => {
    writeFileSync(folder('app.tar'), bytes);
    const failure = await refusal(folder('app.tar'));
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    const scheme = code === 'INPUT_INVALID' ? /Cannot read/ : message;
    expect(String(await refusal(`oci-archive:${folder('app.tar')}`))).toMatch(scheme);
  });

  it.each([
    ['text', Buffer.from('no archive')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s on standard input', async (_, bytes) => {
    expect(await refusal('-', { stdin: inChunks(bytes) })).toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('ends at once when asked to while standard input is silent', async () => {
    const controller = new AbortController();
    // Asked for bytes, it has none, and the user gives up.
    const stdin = new Readable({ read: () => controller.abort(new Error('enough')) });
    const failure = await refusal('-', { stdin, signal: controller.signal });
    expect(failure).toBe(controller.signal.reason);
    expect(stdin.destroyed).toBe(true);
  });

  it('refuses the name of an image where there are no names', async () => {
    writeFileSync(folder('hello.txt'), 'hello');
    mkdirSync(folder('some'));
    for (const text of [folder('hello.txt'), `file:${folder('hello.txt')}`, folder('some')]) {
      expect(await refusal(text, { name: 'nope' })).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/image "nope" .*has no named images/),
      });
    }
  });

  it.skipIf(process.platform === 'win32')('says what to write for a pipe', async () => {
    execFileSync('mkfifo', [folder('pipe')]);
    for (const text of ['', 'file:', 'docker-archive:'].map((kind) => kind + folder('pipe'))) {
      expect(await refusal(text)).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/write - for .*standard input/),
      });
    }
  });

  const notes = randomBytes(5000);
  it.each([
    ['gzip', gzipSync(notes)],
    ['gzip, very short,', gzipSync('notes')],
    ['zstd', zstdCompressSync(notes)],
  ])('does not take %s that is cut for a file, unless told', async (_, bytes) => {
    const path = folder('notes.bin');
    const file = async (source: Source): Promise<string | undefined> =>
      (await singleFileOf(source))?.name;
    writeFileSync(path, bytes);
    expect(await look(path, file)).toBe('notes.bin');
    writeFileSync(path, bytes.subarray(0, -6));
    expect(await refusal(path)).toMatchObject({
      code: 'CONTENT_INVALID',
      message: expect.stringMatching(/notes\.bin: .*truncated.*write file:.*notes\.bin to push it/),
    });
    expect(await look(`file:${path}`, file)).toBe('notes.bin');
    const stdin = inChunks(bytes.subarray(0, -6), 500);
    expect(await refusal('-', { stdin })).toMatchObject({
      code: 'CONTENT_INVALID',
      message: expect.stringMatching(/standard input: .*truncated; want the whole file$/),
    });
  });

  it('finds a path with colons in it, with and without a name behind', async () => {
    writeLayout(folder('a:b'), image.blobs, [named]);
    for (const text of [`oci:${folder('a:b')}`, `oci:${folder('a:b')}:1.2.3`]) {
      expect(await look(text, ({ root }) => root)).toEqual(image.root);
    }
  });

  it('stops when asked to', async () => {
    writeFileSync(folder('app.tgz'), gzipSync(docker));
    expect(await refusal(folder('app.tgz'), { signal: AbortSignal.abort() })).toMatchObject({
      name: 'AbortError',
    });
  });

  it('refuses a blob that is not there, and says which', async () => {
    const blobs = new Map(image.blobs);
    blobs.delete(image.config.digest);
    writeLayout(folder('layout'), blobs, [named]);
    await look(folder('layout'), async (source) => {
      const failure = await failureOf(whole(source.read(image.config)));
      expect(failure).toMatchObject({ code: 'CONTENT_NOT_FOUND' });
      expect(String(failure)).toContain(image.config.digest.slice(7));
    });
  });

  it('keeps the platforms that are asked for, and makes an index of them if need be', async () => {
    const platforms = ['amd64', 'arm64', 's390x'].map((architecture) => ({
      os: 'linux',
      architecture,
    }));
    const blobs = new Map(image.blobs);
    const manifests: Descriptor[] = [];
    for (const platform of platforms) {
      const one = imageOf([layer], { platform });
      for (const [digest, bytes] of one.blobs) blobs.set(digest, bytes);
      manifests.push({ ...one.root, platform });
    }
    const index = documentOf({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    blobs.set(index.descriptor.digest, Buffer.from(index.bytes));
    writeLayout(folder('layout'), blobs, [index.descriptor]);
    const rootOf = (...of: number[]): Promise<Descriptor[]> =>
      look(
        folder('layout'),
        async (source) => {
          const { content } = parseDocument(await whole(source.read(source.root)));
          return content.kind === 'index' ? content.index.manifests : [source.root];
        },
        { platforms: platforms.filter((_, at) => of.includes(at)) },
      );
    expect(await rootOf()).toEqual(manifests);
    expect(await rootOf(1)).toEqual([manifests[1]]);
    expect(await rootOf(0, 2)).toEqual([manifests[0], manifests[2]]);
  });

  it('takes no path for a digest (CVE-2024-3727)', async () => {
    writeLayout(folder('layout'), image.blobs, [named]);
    writeFileSync(folder('secret'), 'secret');
    await look(folder('layout'), async (source) => {
      const digest = 'sha256:../../../secret' as typeof image.root.digest;
      const failure = await failureOf(whole(source.read({ mediaType: 'x', digest, size: 6 })));
      expect(failure).toMatchObject({ code: 'CONTENT_INVALID' });
    });
    writeLayout(folder('other'), image.blobs, [
      { ...image.root, digest: 'sha256:../../../secret' as typeof image.root.digest },
    ]);
    expect(await refusal(folder('other'))).toMatchObject({ code: 'CONTENT_INVALID' });
  });

  it('refuses a manifest with another content than its digest, or of two kinds (CVE-2021-41190)', async () => {
    const altered = new Map(image.blobs);
    altered.set(image.root.digest, Buffer.alloc(image.root.size, ' '));
    writeLayout(folder('altered'), altered, [named]);
    expect(await refusal(folder('altered'))).toMatchObject({ code: 'CONTENT_MISMATCH' });
    const both = Buffer.from('{"schemaVersion":2,"manifests":[],"layers":[]}');
    const digest = digestOf(both);
    writeLayout(folder('both'), new Map([[digest, both]]), [
      { mediaType: mediaTypes.ociIndex, digest, size: both.length },
    ]);
    expect(await refusal(folder('both'))).toMatchObject({ code: 'CONTENT_INVALID' });
  });
});

describe('an OCI layout of several images', () => {
  const other = imageOf([rawTar({ path: 'other' })]);
  const entries = [
    { ...image.root, annotations: { 'org.opencontainers.image.ref.name': '1.2.3' } },
    {
      ...other.root,
      annotations: {
        'org.opencontainers.image.ref.name': '2',
        'io.containerd.image.name': 'docker.io/library/app:2',
      },
    },
  ];

  it('is picked from by either name, or digest', async () => {
    writeLayout(folder('layout'), new Map([...image.blobs, ...other.blobs]), entries);
    const text = `oci:${folder('layout')}`;
    for (const name of ['2', 'docker.io/library/app:2', other.root.digest]) {
      expect((await look(`${text}:${name}`, ({ root }) => root)).digest).toBe(other.root.digest);
      const byOption = await look(text, ({ root }) => root, { name });
      expect(byOption.digest).toBe(other.root.digest);
    }
  });

  it('must be told which one, and lists them', async () => {
    writeLayout(folder('layout'), new Map([...image.blobs, ...other.blobs]), entries);
    for (const text of [folder('layout'), `oci:${folder('layout')}:3`]) {
      expect(await refusal(text)).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/it has 1\.2\.3, docker\.io\/library\/app:2/),
      });
    }
  });

  it('is no question where all names mean one image', async () => {
    const [first] = entries;
    writeLayout(folder('layout'), image.blobs, [first ?? image.root, image.root]);
    expect((await look(folder('layout'), ({ root }) => root)).digest).toBe(image.root.digest);
  });
});
