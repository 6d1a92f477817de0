import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

/** A content digest, `<algorithm>:<lower-case hex>`, that {@link isDigest} let through. */
export type Digest = string & { readonly __brand: 'Digest' };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` may enter a path or a URL as a digest. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/**
 * Parses a content digest, such as `sha256:2c26b46b…`.
 *
 * @param text `<algorithm>:<hex>`; hex in lower case, 64 digits for `sha256`, 128 for `sha512`.
 * @returns `text` itself, branded.
 * @throws {SyntaxError} if `text` is anything else.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new SyntaxError(
      `Cannot parse digest "${text}": want sha256:<64 hex> or sha512:<128 hex>`,
    );
  }
  return text;
}

/** The sha256 digest of `bytes`. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

/** A digest that grows with the bytes it is shown. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  /** Ends the hash; call it once. */
  digest(): Digest;
}

/** Hashes by the algorithm of `like`, sha256 if there is none. */
export function hasherOf(like?: Digest): Hasher {
  const algorithm = like?.startsWith('sha512:') ? 'sha512' : 'sha256';
  const hash: Hash = createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => parseDigest(`${algorithm}:${hash.digest('hex')}`),
  };
}

/** The algorithm and the hex of a digest: the two folders of an OCI layout's `blobs`. */
export function partsOf(digest: Digest): { readonly algorithm: string; readonly hex: string } {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { algorithm, hex };
}
