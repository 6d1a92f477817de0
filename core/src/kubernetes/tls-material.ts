import { createHash } from 'node:crypto';
import { getCACertificates } from 'node:tls';

import type { TlsMaterial } from './credentials.ts';

/** The CAs to go by, as kubectl: one of its own counts alone; without, what the system trusts. */
export function trustedBy({ ca }: TlsMaterial): Buffer | string[] {
  return ca ?? [...getCACertificates('default'), ...getCACertificates('system')];
}

/** Tells one set of certificates from another. */
export function fingerprintOf({ ca, cert, key }: TlsMaterial): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key]) hash.update(`${part?.byteLength ?? -1}:`).update(part ?? '');
  return hash.digest('hex');
}
