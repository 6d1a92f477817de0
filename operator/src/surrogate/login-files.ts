import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { DockerConfig, dockerConfigCredentials } from '@reposure/core/registry';
import type { CredentialSource } from '@reposure/core/registry';

/** What {@link loginFiles} looks at. */
export const loginFileNames = [
  '.dockerconfigjson',
  'config.json',
  'username',
  'password',
  'token',
] as const;

/**
 * The login in a mounted Secret: read whenever it is asked for, because it may have been rotated.
 *
 * A docker config is used for the hosts that it names; `username` and `password`, or `token`, for
 * the one registry of this surrogate, which is all that the operator mounts them for.
 *
 * @param directory May be absent or empty: then there is no login.
 */
export function loginFiles(directory: string): CredentialSource {
  const text = (name: string): Promise<string | undefined> => readText(join(directory, name));
  return async (host, repository) => {
    const config = (await text('.dockerconfigjson')) ?? (await text('config.json'));
    if (config !== undefined) {
      return await dockerConfigCredentials(parseLogins(config, directory))(host, repository);
    }
    const [username, password, token] = await Promise.all([
      text('username'),
      text('password'),
      text('token'),
    ]);
    if (username !== undefined && password !== undefined) {
      return { kind: 'basic', username: username.trim(), password: withoutLineEnd(password) };
    }
    return token?.trim() ? { kind: 'bearer', token: token.trim() } : undefined;
  };
}

/** Without helpers: what a Secret says is not run here. */
function parseLogins(text: string, directory: string): DockerConfig {
  try {
    return { auths: DockerConfig.parse(JSON.parse(text)).auths };
  } catch {
    // Without the parser's words: they quote the Secret.
    throw new InputError(
      `Cannot read the login in ${directory}: want a docker config with "auths"`,
    );
  }
}

/** What `echo` and editors add is no part of a password; other white space may be. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** The text of a file, or `undefined` if there is none. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new InputError(`Cannot read ${file}: ${String(code)}`);
  }
}
