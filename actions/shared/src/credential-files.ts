import { readFile } from 'node:fs/promises';

import { kubeconfigSecrets } from './kubeconfig.ts';

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
