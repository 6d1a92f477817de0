import { access } from 'node:fs/promises';
import { join } from 'node:path';

import type { CredentialSource } from './credentials.ts';
import { dockerConfigCredentials } from './docker-config.ts';

/** Where this machine keeps logins, as environment variables say it. */
export interface LoginFilesEnv {
  readonly REGISTRY_AUTH_FILE?: string | undefined;
  readonly DOCKER_CONFIG?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * Finds the logins that `docker login`, `podman login` and the like left on this machine: in
 * `REGISTRY_AUTH_FILE` and nowhere else if that is set; else in podman's file, then in docker's.
 *
 * @throws {InputError} when asked, if a file is not what it should be, or the one that is named
 * does not exist.
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export function loginFiles(env: LoginFilesEnv): CredentialSource {
  if (env.REGISTRY_AUTH_FILE) return dockerConfigCredentials(env.REGISTRY_AUTH_FILE);
  const files = usualFiles(env);
  return async (registryHost, repository) => {
    for (const file of files) {
      if (!(await exists(file))) continue;
      const found = await dockerConfigCredentials(file)(registryHost, repository);
      if (found) return found;
    }
    return undefined;
  };
}

function usualFiles({ DOCKER_CONFIG, XDG_RUNTIME_DIR, HOME }: LoginFilesEnv): string[] {
  const docker = DOCKER_CONFIG || (HOME && join(HOME, '.docker'));
  return [
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')] : []),
    ...(docker ? [join(docker, 'config.json')] : []),
  ];
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
}
