import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { hasTool, tool } from '../../../test/support/tools.ts';
import { childrenOf, digestOf, documentOf, mediaTypes, parseDocument } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Source } from './content.ts';
import { readDocument, readManifest } from './image.ts';
import { openSink } from './open-sink.ts';
import { openSource } from './open-source.ts';
import { imageOf, rawTar, useFolder, whole, writeLayout } from './test/fixtures.ts';
import { unpack } from './unpack.ts';

// Layers that runtimes read in part: what tells them how is in annotations and behind the tar.
const folder = useFolder();
const files = [
  { path: 'one', content: Buffer.from('first '.repeat(40_000)) },
  { path: 'two', content: Buffer.alloc(300_000, 'second') },
];

async function copy(from: Source, to: string): Promise<void> {
  const sink = await openSink(to);
  for (const one of [...childrenOf(await readDocument(from, from.root)), from.root]) {
    await sink.write(one, from.read(one));
  }
  await sink.commit(from.root, 'app:1');
}

/** The layer in a layout is carried to the byte, and what comes out of it is right on every way. */
async function travels(from: string, layer: Buffer, annotation: string): Promise<void> {
  const source = await openSource(from);
  const [found] = (await readManifest(source, {})).layers;
  expect(found?.annotations).toHaveProperty([annotation]);
  await copy(source, `oci:${folder('out')}`);
  const again = await openSource(folder('out'));
  expect(again.root).toEqual(source.root);
  const { layers } = await readManifest(again, {});
  expect(layers).toEqual([found]);
  expect((await whole(again.read(layers[0] as Descriptor))).equals(layer)).toBe(true);
  await copy(again, `docker-archive:${folder('docker.tar')}`);
  const docker = await openSource(folder('docker.tar'));
  for (const [at, one] of [again, docker].entries()) {
    await unpack(one, folder(`unpacked${at}`));
    for (const { path, content } of files) {
      expect(readFileSync(folder(`unpacked${at}`, path)).equals(content)).toBe(true);
    }
    await one.close();
  }
  await source.close();
}

describe('a layer that is read in part', () => {
  it.skipIf(!hasTool('skopeo'))(
    'of zstd:chunked, as skopeo makes it, travels unchanged',
    async () => {
      const image = imageOf([rawTar(...files)]);
      mkdirSync(folder('plain'));
      writeLayout(folder('plain'), image.blobs, [
        { ...image.root, annotations: { 'org.opencontainers.image.ref.name': '1' } },
      ]);
      const places = [`oci:${folder('plain')}:1`, `oci:${folder('chunked')}:1`];
      await tool('skopeo', 'copy', '-q', '--dest-compress-format', 'zstd:chunked', ...places);
      const blobs = readdirSync(folder('chunked', 'blobs', 'sha256')).map((name) =>
        readFileSync(folder('chunked', 'blobs', 'sha256', name)),
      );
      // The one that begins with a zstd frame.
      const layer = blobs.find((bytes) => bytes.readUInt32LE() === 0xfd2fb528) ?? Buffer.alloc(4);
      expect(layer.length).toBeGreaterThan(4);
      await travels(folder('chunked'), layer, 'io.containers.zstd-chunked.manifest-checksum');
    },
  );

  it('of eStargz, as its specification has it, travels unchanged', async () => {
    const { layer, tar, tocDigest } = stargzOf();
    const image = imageOf([tar], { pack: () => layer });
    const annotation = 'containerd.io/snapshot/stargz/toc.digest';
    const { content } = parseDocument(await whole(image.read(image.root)));
    if (content.kind !== 'manifest') throw new TypeError('want a manifest');
    const document = documentOf({
      ...content.manifest,
      layers: image.layers.map((one) => ({ ...one, annotations: { [annotation]: tocDigest } })),
    });
    const { descriptor, bytes } = document;
    const blobs = new Map([...image.blobs, [descriptor.digest, Buffer.from(bytes)]]);
    writeLayout(folder('stargz'), blobs, [descriptor]);
    expect(descriptor.mediaType).toBe(mediaTypes.ociManifest);
    await travels(folder('stargz'), layer, annotation);
  });
});

/**
 * A gzip member for each file, one for the table of contents, and an empty one as footer, whose extra
 * field says where the table is.
 *
 * @see https://github.com/containerd/stargz-snapshotter/blob/v0.15.1/docs/estargz.md
 */
function stargzOf(): { layer: Buffer; tar: Buffer; tocDigest: string } {
  let offset = 0;
  const members: Buffer[] = [];
  const entries = files.map(({ path, content }) => {
    const entry = {
      name: path,
      type: 'reg',
      size: content.length,
      offset,
      chunkDigest: digestOf(content),
    };
    const member = gzipSync(rawTar({ path, content }).subarray(0, -1024));
    members.push(member);
    offset += member.length;
    return entry;
  });
  const toc = Buffer.from(JSON.stringify({ version: 1, entries }));
  const tocTar = rawTar({ path: 'stargz.index.json', content: toc });
  const field = Buffer.from(`${offset.toString(16).padStart(16, '0')}STARGZ`);
  const footer = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, field.length + 4, 0]),
    Buffer.from(['S'.charCodeAt(0), 'G'.charCodeAt(0), field.length, 0]),
    field,
    Buffer.from([1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  expect(footer).toHaveLength(51);
  const tars = [...files.map((file) => rawTar(file).subarray(0, -1024)), tocTar];
  return {
    layer: Buffer.concat([...members, gzipSync(tocTar), footer]),
    tar: Buffer.concat(tars),
    tocDigest: `sha256:${createHash('sha256').update(toc).digest('hex')}`,
  };
}
