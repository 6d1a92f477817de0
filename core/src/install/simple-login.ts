import { randomBytes } from 'node:crypto';

import * as z from 'zod';

/** A name and a password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

const rounds = 10;

/** A login that nobody can guess: 24 random bytes. */
export function makeLogin(): Login {
  return { username: 'reposure', password: randomBytes(24).toString('base64url') };
}

/** One line of an htpasswd file, bcrypt: the only kind that Distribution takes. */
export async function htpasswdOf({ username, password }: Login): Promise<string> {
  // Loaded here: most commands never hash a password.
  const { hash } = await import('bcryptjs');
  return `${username}:${await hash(password, rounds)}\n`;
}

/** Whether an htpasswd file lets this login in. */
export async function isAdmitted(htpasswd: string, login: Login): Promise<boolean> {
  const prefix = `${login.username}:`;
  const line = htpasswd.split(/\r?\n/).find((each) => each.startsWith(prefix));
  if (line === undefined) return false;
  const { compare } = await import('bcryptjs');
  return compare(login.password, line.slice(prefix.length));
}

/** A docker config with one login for several names of the same registry. */
export function dockerConfigOf(login: Login, hosts: readonly string[]): string {
  const { username, password } = login;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const entry = { username, password, auth };
  return JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, entry])) });
}

const DockerConfig = z.object({
  auths: z.record(z.string(), z.object({ username: z.string(), password: z.string() })),
});

/** The login in a docker config that {@link dockerConfigOf} made; `undefined` if it is another one. */
export function loginIn(dockerConfig: string): Login | undefined {
  try {
    const [login] = Object.values(DockerConfig.parse(JSON.parse(dockerConfig)).auths);
    return login && { username: login.username, password: login.password };
  } catch {
    return undefined;
  }
}
