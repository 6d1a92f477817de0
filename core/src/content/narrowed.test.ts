import { describe, expect, it } from 'vitest';

import { documentOf, mediaTypes, parsePlatform } from '../oci/index.ts';
import type { Descriptor, Digest, Index } from '../oci/index.ts';
import type { Source } from './content.ts';
import { readDocument, readManifest } from './image.ts';
import { narrowed } from './narrowed.ts';
import { failureOf, imageOf, rawTar, sourceOf } from './test/fixtures.ts';

function multi(...platforms: readonly string[]): { source: Source; children: Descriptor[] } {
  const blobs = new Map<Digest, Buffer>();
  const children: Descriptor[] = [];
  for (const text of platforms) {
    const platform = parsePlatform(text);
    const image = imageOf([rawTar({ path: text })], { platform });
    for (const [digest, bytes] of image.blobs) blobs.set(digest, bytes);
    children.push({ ...image.root, platform });
  }
  const [first] = children;
  const attestation: Descriptor = {
    ...imageOf([]).root,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': first?.digest ?? '' },
  };
  const index: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...children, attestation],
    annotations: { kept: 'yes' },
  };
  const document = documentOf(index);
  blobs.set(document.descriptor.digest, Buffer.from(document.bytes));
  return { source: sourceOf(document.descriptor, blobs), children };
}

const wanted = (...platforms: readonly string[]): ReturnType<typeof parsePlatform>[] =>
  platforms.map(parsePlatform);

describe('narrowed()', () => {
  it('to one platform is its manifest', async () => {
    const { source, children } = multi('linux/amd64', 'linux/arm64/v8');
    const { root } = await narrowed(source, wanted('linux/arm64'));
    expect(root.digest).toBe(children[1]?.digest);
  });

  it('to some platforms is a new index, with what is said about them', async () => {
    const { source, children } = multi('linux/amd64', 'linux/arm64', 'linux/s390x');
    const result = await narrowed(source, wanted('linux/amd64', 'linux/s390x'));
    const document = await readDocument(result, result.root);
    const { index } = document.content.kind === 'index' ? document.content : {};
    expect(index?.annotations).toEqual({ kept: 'yes' });
    expect(index?.manifests.map(({ digest }) => digest).slice(0, 2)).toEqual([
      children[0]?.digest,
      children[2]?.digest,
    ]);
    // The attestation of the first came along.
    expect(index?.manifests.length).toBe(3);
    expect(
      (await readManifest(result, { platform: parsePlatform('linux/s390x') })).layers.length,
    ).toBe(1);
  });

  it('to all platforms is the index as it was', async () => {
    const { source } = multi('linux/amd64', 'linux/arm64');
    const { root } = await narrowed(source, wanted('linux/amd64', 'linux/arm64'));
    expect(root).toEqual(source.root);
  });

  it('refuses a platform that is not there, and says what is', async () => {
    const { source } = multi('linux/amd64', 'linux/arm64');
    const failure = await failureOf(narrowed(source, wanted('linux/amd64', 'windows/amd64')));
    expect(failure).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/take windows\/amd64 .* has linux\/amd64, linux\/arm64$/),
    });
  });

  it('of a single image checks that it is the one', async () => {
    const image = imageOf([]);
    expect((await narrowed(image, wanted('linux/amd64'))).root).toEqual(image.root);
    expect(await failureOf(narrowed(image, wanted('linux/arm64')))).toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
