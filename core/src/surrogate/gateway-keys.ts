import { createHash, randomBytes } from 'node:crypto';

/** The keys that requests are signed with: each the current one, then the previous one while they rotate. */
export interface GatewayKeys {
  /** For GET and HEAD only. */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** A new key: 32 random bytes, base64url. */
export function newGatewayKey(): string {
  return randomBytes(32).toString('base64url');
}

/** Names a key without telling it: 32 random bytes cannot be guessed from their hash. */
export function keyIdOf(key: string): string {
  return createHash('sha256').update(`reposure key ${key}`).digest('base64url').slice(0, 16);
}
