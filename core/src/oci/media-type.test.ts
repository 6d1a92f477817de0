import { describe, expect, it } from 'vitest';

import { compressionOf, mediaTypes } from './media-type.ts';

describe('compressionOf()', () => {
  it.each([
    [mediaTypes.ociLayer, 'none'],
    [mediaTypes.ociLayerGzip, 'gzip'],
    [mediaTypes.ociLayerZstd, 'zstd'],
    [mediaTypes.dockerLayerGzip, 'gzip'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
    [mediaTypes.ociConfig, undefined],
    ['text/plain', undefined],
  ])('of %s is %s', (mediaType, expected) => {
    expect(compressionOf(mediaType)).toBe(expected);
  });
});
