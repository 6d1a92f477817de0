import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { loginFilePaths } from '@reposure/core/registry';

import { kubeconfigSecrets } from './kubeconfig.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The kubeconfig files that are read: those named, or the user's own. @param named As `KUBECONFIG`. */
export function kubeconfigFiles(named: string | undefined, env: Env): string[] {
  if (named) return named.split(delimiter).filter(Boolean);
  return [join(env['HOME'] ?? homedir(), '.kube', 'config')];
}

/** Where this machine keeps the logins of registries: what is secret in them is masked before one is used. */
export function credentialFiles(env: Env): readonly string[] {
  return loginFilePaths({ ...env, HOME: env['HOME'] ?? homedir() });
}

/** Everything secret in kubeconfig files; one that is not there has nothing. */
export async function secretsOfKubeconfigs(paths: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(paths.map(textIn));
  return texts.flatMap(kubeconfigSecrets);
}

/** Everything secret in docker's and podman's configurations: logins, as they are and taken apart. */
export async function secretsOfDockerConfigs(paths: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(paths.map(textIn));
  return texts.flatMap(dockerConfigSecrets);
}

async function textIn(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** @see https://github.com/docker/cli/blob/v29.3.0/cli/config/types/authconfig.go */
export function dockerConfigSecrets(text: string): string[] {
  try {
    return secretsIn(JSON.parse(text));
  } catch {
    return [];
  }
}

const secretFields = new Set(['password', 'identitytoken', 'registrytoken', 'auth']);

function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]: [string, unknown]) => {
    if (typeof inner !== 'string') return secretsIn(inner);
    if (!secretFields.has(field) || inner === '') return [];
    if (field !== 'auth') return [inner];
    const login = Buffer.from(inner, 'base64').toString();
    const password = login.slice(login.indexOf(':') + 1);
    return [inner, password].filter((secret) => secret !== '');
  });
}
