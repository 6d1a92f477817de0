import * as z from 'zod';

import { isDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { Platform } from './platform.ts';

/** A digest in a document that somebody else wrote. */
export const DigestText = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'want sha256:<64 hex> or sha512:<128 hex>',
);

/**
 * What a manifest says of content that lies elsewhere; `size` in bytes.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export const Descriptor = z.looseObject({
  mediaType: z.string().min(1),
  digest: DigestText,
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
  artifactType: z.string().optional(),
  platform: Platform.optional(),
  urls: z.array(z.string()).optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

/** The annotations that Reposure reads or writes. */
export const annotationKeys = {
  refName: 'org.opencontainers.image.ref.name',
  title: 'org.opencontainers.image.title',
  /** What `docker save` and containerd write beside `refName`: the whole reference. */
  imageName: 'io.containerd.image.name',
} as const;
