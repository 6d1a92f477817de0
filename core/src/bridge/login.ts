import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a tool has to say to be let in: it keeps the other users of this machine out. */
export interface BridgeLogin {
  readonly username: string;
  readonly password: string;
}

/** A login that nobody can guess. */
export function newBridgeLogin(): BridgeLogin {
  return { username: 'reposure', password: randomBytes(32).toString('base64url') };
}

/** As login files have it. @see https://www.rfc-editor.org/rfc/rfc7617#section-2 */
export function basicOf({ username, password }: BridgeLogin): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** Whether an `Authorization` header has this login; in a time that tells nothing of it. */
export function isLoggedIn(header: string | undefined, login: BridgeLogin): boolean {
  const [, given = ''] = /^basic +(\S+)$/i.exec(header ?? '') ?? [];
  return timingSafeEqual(hashOf(given), hashOf(basicOf(login)));
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
