import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf, documentOf, mediaTypes, parsePlatform } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { describeOwner, ownOwner } from '../process-owner.ts';
import type { Sink, Source } from './content.ts';
import { readLayers, readManifest } from './image.ts';
import { openSink } from './open-sink.ts';
import type { OpenSinkOptions } from './open-sink.ts';
import { openSource } from './open-source.ts';
import { failureOf, imageOf, inChunks, rawTar, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();
const lower = rawTar({ path: 'lower', content: Buffer.alloc(300_000, 'lower') });
const image = imageOf([lower, rawTar({ path: 'upper', content: 'upper' }), lower]);
const other = imageOf([rawTar({ path: 'other' })]);

async function fill(sink: Sink, what: typeof image): Promise<void> {
  const { root, config, layers } = what;
  // All at once, as a pull does.
  const descriptors = new Map([root, config, ...layers].map((one) => [one.digest, one]));
  await Promise.all([...descriptors.values()].map((one) => sink.write(one, what.read(one))));
}

async function put(
  text: string,
  what = image,
  name?: string,
  options?: OpenSinkOptions,
): Promise<void> {
  const sink = await openSink(text, options);
  await fill(sink, what);
  await sink.commit(what.root, name);
}

async function look<T>(text: string, see: (source: Source) => T | Promise<T>): Promise<T> {
  const source = await openSource(text);
  try {
    return await see(source);
  } finally {
    await source.close();
  }
}

function temporary(): { temporaryDirectory: string } {
  mkdirSync(folder('temporary'), { recursive: true });
  return { temporaryDirectory: folder('temporary') };
}

describe('every sink', () => {
  it.each(['oci:new', 'oci-archive:new', 'docker-archive:new'])(
    'shows nothing before commit, and leaves nothing on abort: %s',
    async (text) => {
      const [kind, name = ''] = text.split(':');
      mkdirSync(folder('out'));
      const sink = await openSink(`${kind}:${folder('out', name)}`, temporary());
      expect(sink.description).toContain(folder('out', name));
      expect(await sink.has(image.config)).toBe(false);
      await fill(sink, image);
      expect(await sink.has(image.config)).toBe(true);
      expect(existsSync(folder('out', name, 'index.json'))).toBe(false);
      await sink.abort();
      expect(readdirSync(folder('out'))).toEqual([]);
      expect(readdirSync(folder('temporary'))).toEqual([]);
    },
  );

  it.each(['oci', 'oci-archive', 'docker-archive'])(
    'refuses content of another size, and takes it when it comes again: %s',
    async (kind) => {
      const sink = await openSink(`${kind}:${folder('out')}`, temporary());
      const [layer] = image.layers;
      for (const size of [(layer?.size ?? 0) - 1, (layer?.size ?? 0) + 1]) {
        const wrong = inChunks(Buffer.alloc(size), 100);
        const failure = await failureOf(sink.write(layer ?? image.root, wrong));
        expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
        expect(layer && (await sink.has(layer))).toBe(false);
      }
      await fill(sink, image);
      await sink.commit(image.root, 'app:1.2.3');
      await look(folder('out'), async (source) => {
        const layers = await readLayers(source, await readManifest(source, {}));
        expect(layers.map(({ diffId }) => diffId)).toEqual(
          [lower, rawTar({ path: 'upper', content: 'upper' }), lower].map(digestOf),
        );
      });
    },
  );

  it.each(['oci-archive', 'docker-archive'])(
    'refuses to finish without everything that was announced: %s',
    async (kind) => {
      const sink = await openSink(`${kind}:${folder('out')}`, temporary());
      await sink.write(image.root, image.read(image.root));
      const [layer = image.root] = image.layers;
      await failureOf(sink.write(layer, inChunks(Buffer.alloc(1))));
      expect(await failureOf(sink.commit(image.root))).toMatchObject({ code: 'CONTENT_NOT_FOUND' });
      expect(existsSync(folder('out'))).toBe(false);
    },
  );

  it.each(['somewhere', 'file:a', 'oci:', 'docker-daemon:', 'docker://host/a', ''])(
    'refuses a place that is none: "%s"',
    async (text) => {
      expect(await failureOf(openSink(text))).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          /want oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, containers-storage:NAME, or -/,
        ),
      });
    },
  );

  it('stops when asked to', async () => {
    const sink = await openSink(`oci:${folder('out')}`, { signal: AbortSignal.abort() });
    expect(await failureOf(fill(sink, image))).toMatchObject({ name: 'AbortError' });
    await sink.abort();
  });
});

describe('oci:DIR', () => {
  it('keeps every byte, and names the image as skopeo and containerd look for it', async () => {
    await put(`oci:${folder('out')}`, image, 'team/app:1.2.3');
    for (const name of ['1.2.3', 'team/app:1.2.3']) {
      await look(`oci:${folder('out')}:${name}`, async (source) => {
        expect(source.root).toEqual(image.root);
        for (const descriptor of [image.root, image.config, ...image.layers]) {
          expect(
            (await whole(source.read(descriptor))).equals(await whole(image.read(descriptor))),
          ).toBe(true);
        }
      });
    }
    expect(readdirSync(folder('out')).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('adds to a layout, and replaces what has the same name', async () => {
    await put(`oci:${folder('out')}`, image, 'app:1');
    await put(`oci:${folder('out')}`, image, 'other:1');
    await put(`oci:${folder('out')}`, other, 'app:1');
    await put(`oci:${folder('out')}:mine`, image);
    await put(`oci:${folder('out')}:mine`, image);
    const root = (name: string): Promise<string> =>
      look(`oci:${folder('out')}:${name}`, (source) => source.root.digest);
    expect(await root('app:1')).toBe(other.root.digest);
    expect(await root('other:1')).toBe(image.root.digest);
    expect(await root('mine')).toBe(image.root.digest);
    const index: { manifests: unknown[] } = JSON.parse(
      readFileSync(folder('out', 'index.json'), 'utf8'),
    );
    expect(index.manifests.length).toBe(3);
  });

  it('knows what is there already, and does not trust what is broken', async () => {
    await put(`oci:${folder('out')}`, image, 'app:1');
    const sink = await openSink(`oci:${folder('out')}`);
    expect(await sink.has(image.config)).toBe(true);
    expect(await sink.has(other.config)).toBe(false);
    const { digest, size } = image.config;
    writeFileSync(folder('out', 'blobs', 'sha256', digest.slice(7)), Buffer.alloc(size));
    expect(await sink.has(image.config)).toBe(false);
    await sink.abort();
    expect(existsSync(folder('out', 'index.json'))).toBe(true);
  });

  it('takes over what is whole of what a killed process has left, and nothing of one that lives', async () => {
    const place = `oci:${folder('out')}`;
    const [first, second] = image.layers;
    if (!first || !second) throw new Error('want layers');
    const own = await ownOwner();
    const left = await openSink(place);
    for (const one of [image.config, first]) await left.write(one, image.read(one));
    const [staging = ''] = readdirSync(folder('out'));
    const blobs = folder('out', staging, 'blobs', 'sha256');
    writeFileSync(join(blobs, second.digest.slice(7)), 'broken');
    writeFileSync(join(blobs, `${image.root.digest.slice(7)}.part`), 'half');
    const beside = await openSink(place);
    expect(await beside.has(first)).toBe(false);
    // Another process once had this number.
    const killed = describeOwner({ ...own, startTime: own.startTime + 1 });
    renameSync(folder('out', staging), folder('out', `.reposure-${killed}-AbC123`));
    const next = await openSink(place);
    expect(await next.has(first)).toBe(true);
    expect(await next.has(second)).toBe(false);
    await beside.abort();
    for (const one of [second, image.root]) await next.write(one, image.read(one));
    expect(await next.has(image.config)).toBe(true);
    await next.commit(image.root, 'app:1');
    expect(readdirSync(folder('out')).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
    await look(place, async (source) => {
      for (const one of [image.root, image.config, ...image.layers]) {
        expect((await whole(source.read(one))).equals(await whole(image.read(one)))).toBe(true);
      }
    });
  });

  it('refuses a folder that holds something else, and a file', async () => {
    writeFileSync(folder('file'), 'x');
    for (const text of [`oci:${folder()}`, `oci:${folder('file')}`]) {
      expect(await failureOf(openSink(text))).toMatchObject({ code: 'INPUT_INVALID' });
    }
    expect(readdirSync(folder())).toEqual(['file']);
  });
});

describe('oci-archive:FILE', () => {
  it('keeps every byte', async () => {
    await put(`oci-archive:${folder('out.tar')}`, image, 'app:1.2.3', temporary());
    await look(folder('out.tar'), async (source) => {
      expect(source).toMatchObject({ root: image.root, names: ['app:1.2.3', '1.2.3'] });
      for (const descriptor of [image.root, image.config, ...image.layers]) {
        expect(
          (await whole(source.read(descriptor))).equals(await whole(image.read(descriptor))),
        ).toBe(true);
      }
    });
    expect(readdirSync(folder('temporary'))).toEqual([]);
  });

  it('replaces a file, also behind a link, and nothing that is none', async () => {
    writeFileSync(folder('old.tar'), 'old');
    symlinkSync('old.tar', folder('link.tar'));
    await put(`oci-archive:${folder('link.tar')}`);
    expect(await look(folder('old.tar'), ({ root }) => root)).toEqual(image.root);
    expect(await failureOf(openSink('oci-archive:/dev/null'))).toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await failureOf(openSink(`oci-archive:${folder()}`))).toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await failureOf(openSink(`oci-archive:${folder('no', 'x')}`))).toMatchObject({
      message: expect.stringMatching(/there is no folder/),
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'does not call a folder missing that is there',
    async () => {
      const failure = await failureOf(openSink('oci-archive:/proc/out.tar', temporary()));
      expect(failure).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/no file can be made in \/proc;/),
      });
    },
  );

  it.each(['-', 'oci-archive:-', 'docker-archive:-'])(
    'goes to standard output whole: %s',
    async (text) => {
      const stdout = new PassThrough();
      const received = whole(stdout);
      await put(text, image, 'app:1', { stdout, ...temporary() });
      expect(readdirSync(folder('temporary'))).toEqual([]);
      expect(stdout.writableEnded).toBe(false);
      stdout.end();
      const source = await openSource('-', { stdin: inChunks(await received, 5000) });
      expect((await readManifest(source, {})).layers.length).toBe(3);
      await source.close();
    },
  );

  it('says that standard output is gone', async () => {
    const stdout = new PassThrough();
    stdout.destroy();
    const failure = await failureOf(put('-', image, 'app:1', { stdout, ...temporary() }));
    expect(failure).toBeInstanceOf(Error);
    expect(readdirSync(folder('temporary'))).toEqual([]);
    expect(await failureOf(openSink('-'))).toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('docker-archive:FILE', () => {
  it('has the config, the names and unpacked layers, each once', async () => {
    await put(`docker-archive:${folder('out.tar')}`, image, 'app:1.2.3', temporary());
    const content = readFileSync(folder('out.tar'));
    expect(content.indexOf(lower)).toBeGreaterThan(0);
    expect(content.indexOf(lower, content.indexOf(lower) + 1)).toBe(-1);
    await look(folder('out.tar'), async (source) => {
      expect(source.names).toEqual(['app:1.2.3']);
      const { config, layers } = await readManifest(source, {});
      expect(config.digest).toBe(image.config.digest);
      expect(layers.length).toBe(3);
    });
    expect(readdirSync(folder('temporary'))).toEqual([]);
  });

  it.each([
    ['app', ['app:latest']],
    ['host:5000/app', ['host:5000/app:latest']],
    [undefined, []],
  ])('has a tag where docker wants one: %s', async (name, names) => {
    await put(`docker-archive:${folder('out.tar')}`, image, name);
    expect(await look(folder('out.tar'), (source) => source.names)).toEqual(names);
  });

  it('unpacks zstd, too', async () => {
    const zstd = imageOf([lower], { pack: zstdCompressSync, layerType: mediaTypes.ociLayerZstd });
    await put(`docker-archive:${folder('out.tar')}`, zstd, 'app:1');
    expect(readFileSync(folder('out.tar')).includes(lower)).toBe(true);
  });

  it('is not written of a layer with another diffId', async () => {
    const wrong = imageOf([lower], { diffIds: [digestOf('x')] });
    const sink = await openSink(`docker-archive:${folder('out.tar')}`);
    await fill(sink, wrong);
    expect(await failureOf(sink.commit(wrong.root))).toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(readdirSync(folder())).toEqual([]);
  });

  it('holds one platform: the only one that came, or the one that is named', async () => {
    const children: Descriptor[] = [
      { ...image.root, platform: parsePlatform('linux/amd64') },
      { ...other.root, platform: parsePlatform('linux/arm64') },
    ];
    const index = documentOf({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: children,
    });
    const both = async (options: OpenSinkOptions): Promise<void> => {
      const sink = await openSink(`docker-archive:${folder('out.tar')}`, options);
      await fill(sink, image);
      await fill(sink, other);
      await sink.write(index.descriptor, inChunks(index.bytes));
      await sink.commit(index.descriptor);
    };
    expect(await failureOf(both({}))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/this image has linux\/amd64, linux\/arm64; name one/),
    });
    await both({ platform: parsePlatform('linux/arm64') });
    const config = await look(
      folder('out.tar'),
      async (source) => (await readManifest(source, {})).config,
    );
    expect(config.digest).toBe(other.config.digest);
  });
});
