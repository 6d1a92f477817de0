import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { documentOf, mediaTypes, parseDocument, verified } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Source } from './content.ts';
import { openSource } from './open-source.ts';
import type { OpenSourceOptions } from './open-source.ts';
import {
  dockerTar,
  failureOf,
  imageOf,
  rawTar,
  useFolder,
  whole,
  writeLayout,
} from './test/fixtures.ts';

const folder = useFolder();
const layer = rawTar({ path: 'hello.txt', content: 'hello' });
const annotations = { 'org.opencontainers.image.revision': 'abc', empty: '' };
const artifactType = 'application/vnd.example.sbom.v1+json';

async function rootOf(source: Source): Promise<Record<string, unknown>> {
  const bytes = await whole(verified(source.read(source.root), source.root));
  const { content } = parseDocument(bytes, source.root.mediaType);
  return content.kind === 'index' ? content.index : content.manifest;
}

/** The root document without the marks and with them, and the source's own root. */
async function marks(from: string, options: OpenSourceOptions): Promise<unknown[]> {
  const plain = await openSource(from);
  const source = await openSource(from, options);
  const documents = [await rootOf(plain), await rootOf(source), source.root];
  expect(source.root.digest).not.toBe(plain.root.digest);
  await plain.close();
  await source.close();
  return documents;
}

describe('annotations and the artifact type', () => {
  it('are put on a manifest; what it names stays', async () => {
    const image = imageOf([layer]);
    writeLayout(folder('layout'), image.blobs, [image.root]);
    const [plain, marked, root] = await marks(folder('layout'), { annotations, artifactType });
    expect(marked).toEqual({ ...(plain as object), annotations, artifactType });
    expect(root).toMatchObject({ mediaType: mediaTypes.ociManifest, artifactType });
  });

  it('are put on an index, not on its manifests', async () => {
    const image = imageOf([layer]);
    const child: Descriptor = { ...image.root, platform: { os: 'linux', architecture: 'amd64' } };
    const index = documentOf({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [child],
      annotations: { old: 'kept', empty: 'replaced' },
    });
    const blobs = new Map([...image.blobs, [index.descriptor.digest, Buffer.from(index.bytes)]]);
    writeLayout(folder('layout'), blobs, [index.descriptor]);
    const [plain, marked] = await marks(folder('layout'), { annotations });
    expect(marked).toEqual({
      ...(plain as object),
      manifests: [child],
      annotations: { old: 'kept', ...annotations },
    });
  });

  it('are put on what is made of a file, beside its title', async () => {
    writeFileSync(folder('hello.txt'), 'hello');
    const [, marked] = await marks(folder('hello.txt'), { annotations, artifactType });
    expect(marked).toMatchObject({
      artifactType,
      annotations: { 'org.opencontainers.image.title': 'hello.txt', ...annotations },
    });
  });

  it('are put on a docker archive if they are annotations', async () => {
    writeFileSync(folder('x.tar'), dockerTar([{ layers: [layer] }]));
    const [, marked] = await marks(folder('x.tar'), { annotations });
    expect(marked).toMatchObject({ annotations });
    expect(await failureOf(openSource(folder('x.tar'), { artifactType }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/it is an image to run; leave the artifact type out/),
    });
  });

  it("are refused for Docker's own manifests, which have no place for them", async () => {
    const image = imageOf([layer]);
    const { manifest } = parseDocument(await whole(image.read(image.root))).content as never;
    const docker = documentOf({
      ...(manifest as Parameters<typeof documentOf>[0]),
      mediaType: mediaTypes.dockerManifest,
    });
    const blobs = new Map([...image.blobs, [docker.descriptor.digest, Buffer.from(docker.bytes)]]);
    writeLayout(folder('layout'), blobs, [docker.descriptor]);
    expect(await failureOf(openSource(folder('layout'), { annotations }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/want an OCI image/),
    });
  });

  it.each([
    { artifactType: 'sbom' },
    { artifactType: '' },
    { artifactType: 'a/b c' },
    { annotations: { '': 'x' } },
  ])('are refused if they are none: %j', async (options) => {
    writeFileSync(folder('hello.txt'), 'hello');
    expect(await failureOf(openSource(folder('hello.txt'), options))).toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('openSource()', () => {
  it('says where docker:// works', async () => {
    expect(await failureOf(openSource('docker://host/app:1'))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/can be the source of a push/),
    });
  });
});
