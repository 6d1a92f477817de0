export { annotationKeys, Descriptor, DigestText } from './descriptor.ts';
export { digestOf, hasherOf, isDigest, parseDigest, partsOf } from './digest.ts';
export type { Digest, Hasher } from './digest.ts';
export {
  childrenOf,
  ContentInvalidError,
  documentOf,
  ImageConfig,
  Index,
  Manifest,
  maxManifestBytes,
  parseConfig,
  parseDocument,
} from './manifest.ts';
export type { Document } from './manifest.ts';
export {
  compressionOf,
  isIndexType,
  isManifestType,
  layerTypes,
  manifestAccept,
  mediaTypes,
} from './media-type.ts';
export type { Compression } from './media-type.ts';
export {
  describePlatform,
  hostPlatform,
  isPlatformMatch,
  parsePlatform,
  Platform,
} from './platform.ts';
export {
  describeReference,
  isRepository,
  isTag,
  parseReference,
  parseTarget,
} from './reference.ts';
export type { Reference, Target } from './reference.ts';
export { ContentMismatchError, verified } from './verified.ts';
