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
  /** What Windows has for it. */
  readonly USERPROFILE?: string | undefined;
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
  const files = loginFilePaths(env);
  return async (registryHost, repository) => {
    for (const file of files) {
      if (!(await exists(file))) continue;
      const found = await dockerConfigCredentials(file)(registryHost, repository);
      if (found) return found;
    }
    return undefined;
  };
}

/** The files that {@link loginFiles} looks into, in its order; they need not be there. */
export function loginFilePaths(env: LoginFilesEnv): readonly string[] {
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE];
  const docker = dockerConfigFolder(env);
  const podman = podmanLoginFile(env);
  return [...(podman ? [podman] : []), ...(docker ? [join(docker, 'config.json')] : [])];
}

/** Where docker keeps what is the user's own. @see https://docs.docker.com/reference/cli/docker/#environment-variables */
export function dockerConfigFolder(env: LoginFilesEnv): string | undefined {
  const home = env.HOME || env.USERPROFILE;
  return env.DOCKER_CONFIG || (home && join(home, '.docker')) || undefined;
}

/** Where podman and its kin keep logins until the user logs out of the machine. */
export function podmanLoginFile({ XDG_RUNTIME_DIR }: LoginFilesEnv): string | undefined {
  return XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, 'containers', 'auth.json');
}

/** What cannot be looked at is there: reading it says why it cannot be. */
export async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
}
