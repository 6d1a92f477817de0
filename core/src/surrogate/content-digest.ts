import { createHash } from 'node:crypto';

/**
 * The `Content-Digest` of a body.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9530#section-2
 */
export function contentDigestOf(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}
