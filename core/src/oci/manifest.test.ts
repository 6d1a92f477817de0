import { describe, expect, it } from 'vitest';

import { UnsupportedError } from '../errors.ts';
import { digestOf } from './digest.ts';
import {
  childrenOf,
  ContentInvalidError,
  documentOf,
  parseConfig,
  parseDocument,
} from './manifest.ts';
import { mediaTypes } from './media-type.ts';

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('layer'), size: 5 };
const manifest = {
  schemaVersion: 2 as const,
  mediaType: mediaTypes.ociManifest,
  config,
  layers: [layer],
};
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('parseDocument()', () => {
  it('reads a manifest, with the digest of its bytes as they are', () => {
    const bytes = Buffer.from(JSON.stringify(manifest, undefined, 3));
    const document = parseDocument(bytes, mediaTypes.ociManifest);
    expect(document.descriptor).toEqual({
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(bytes),
      size: bytes.byteLength,
    });
    expect(childrenOf(document)).toEqual([config, layer]);
  });

  it('reads an index by its content where nothing names its type', () => {
    const child = { mediaType: mediaTypes.ociManifest, digest: digestOf('m'), size: 1 };
    const document = parseDocument(bytesOf({ schemaVersion: 2, manifests: [child] }));
    expect(document.descriptor.mediaType).toBe(mediaTypes.ociIndex);
    expect(childrenOf(document)).toEqual([child]);
  });

  it('keeps what it does not know', () => {
    const document = parseDocument(bytesOf({ ...manifest, 'x-more': { kept: true } }));
    expect(document.content).toMatchObject({ manifest: { 'x-more': { kept: true } } });
  });

  it.each([
    ['both manifests and layers (CVE-2021-41190)', { ...manifest, manifests: [] }],
    ['a digest that is none', { ...manifest, config: { ...config, digest: 'sha256:../x' } }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    [
      'another type of document',
      { ...manifest, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
    ],
    ['a list', []],
    ['a string', 'manifest'],
  ])('refuses %s', (_, value) => {
    expect(() => parseDocument(bytesOf(value))).toThrow(ContentInvalidError);
  });

  const v1 = 'application/vnd.docker.distribution.manifest.v1';
  it.each([
    ['by its content', { schemaVersion: 1, fsLayers: [] }, undefined],
    ['by its descriptor', { schemaVersion: 1 }, `${v1}+json`],
    ['signed', { schemaVersion: 1, signatures: [] }, `${v1}+prettyjws`],
    ['by its own word', { mediaType: `${v1}+prettyjws` }, undefined],
  ])('refuses schema 1 in a sentence: %s', (_, value, mediaType) => {
    expect(() => parseDocument(bytesOf(value), mediaType)).toThrow(UnsupportedError);
    expect(() => parseDocument(bytesOf(value), mediaType)).toThrow(/Docker's schema 1.*want/);
  });

  it('refuses a document that says it is another type than its descriptor (CVE-2021-41190)', () => {
    expect(() => parseDocument(bytesOf(manifest), mediaTypes.ociIndex)).toThrow(
      /says .*manifest.* says .*index/,
    );
  });

  it('refuses bytes that are no JSON, or no UTF-8', () => {
    expect(() => parseDocument(Buffer.from('{'))).toThrow(/not JSON/);
    expect(() => parseDocument(Buffer.from([0x22, 0xff, 0x22]))).toThrow(ContentInvalidError);
  });
});

describe('documentOf()', () => {
  it('is read again as it was written', () => {
    const document = documentOf(manifest);
    expect(parseDocument(document.bytes)).toEqual(document);
  });
});

describe('parseConfig()', () => {
  it('refuses diff_ids that are no digests', () => {
    const value = {
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: ['x'] },
    };
    expect(() => parseConfig(bytesOf(value))).toThrow(/rootfs\.diff_ids\.0/);
  });
});
