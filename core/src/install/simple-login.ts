import { randomBytes } from 'node:crypto';

import * as z from 'zod';

/** A name and a password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** 24 random bytes: nobody can guess it. */
export function makePassword(): string {
  return randomBytes(24).toString('base64url');
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
  const [login] = Object.values(entriesIn(dockerConfig));
  return login && { username: login.username, password: login.password };
}

/** The names of the registry in such a config. */
export function hostsIn(dockerConfig: string): string[] {
  return Object.keys(entriesIn(dockerConfig));
}

function entriesIn(dockerConfig: string): Readonly<Record<string, Login>> {
  try {
    return DockerConfig.parse(JSON.parse(dockerConfig)).auths;
  } catch {
    return {};
  }
}
