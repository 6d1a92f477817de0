import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '../errors.ts';
import type { CredentialSource } from './credentials.ts';
import { dockerConfigCredentials, readDockerConfig } from './docker-config.ts';
import { exists } from './login-files.ts';

/** As docker writes it, and as a Secret of type dockerconfigjson has it. */
const fileNames = ['config.json', '.dockerconfigjson'] as const;

/**
 * Finds logins in folders that somebody mounted: the first that has one for the host. Helpers that a
 * file names are not run: it is not this machine's own.
 *
 * @param folders Empty names are passed over, and so are folders that are not there.
 * @throws {InputError} when asked, if there is something in a folder, but no docker config.
 */
export function loginFolders(folders: readonly string[]): CredentialSource {
  const named = folders.filter((folder) => folder !== '');
  return async (registryHost, repository) => {
    for (const folder of named) {
      const file = await configIn(folder);
      if (file === undefined) continue;
      const { auths } = await readDockerConfig(file);
      const found = await dockerConfigCredentials({ auths })(registryHost, repository);
      if (found) return found;
    }
    return undefined;
  };
}

async function configIn(folder: string): Promise<string | undefined> {
  for (const file of fileNames.map((name) => join(folder, name))) {
    if (await exists(file)) return file;
  }
  const found = await readdir(folder).catch(() => []);
  if (found.length === 0) return undefined;
  throw new InputError(
    `Cannot read the logins in ${folder}: there is no docker config; want ${fileNames.join(' or ')}`,
  );
}
