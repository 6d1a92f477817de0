import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

/** A Secret, its values in base64. */
export interface Secret extends KubernetesObject {
  data: Record<string, string>;
}

/** What must not be seen anywhere but in Secrets, by what it is. */
export type Confidences = ReadonlyMap<string, string>;

/** Reads the Secrets of a simple registry with TLS and a login, and the keys of its Registry. */
export async function confidencesOf(
  kubernetes: KubernetesClient,
  namespace: string,
  registry: string,
): Promise<Confidences> {
  const read = async (name: string, key: string): Promise<[text: string, base64: string]> => {
    const { data } = await kubernetes.get<Secret>(resourceTypes.Secret, name, namespace);
    const base64 = data[key] ?? '';
    return [Buffer.from(base64, 'base64').toString(), base64];
  };
  const [config, configBase64] = await read(names.simpleLogin, '.dockerconfigjson');
  const { auths } = JSON.parse(config) as {
    auths: Record<string, { password: string; auth: string }>;
  };
  const [{ password, auth } = { password: '', auth: '' }] = Object.values(auths);
  const [htpasswd, htpasswdBase64] = await read(names.simpleHtpasswd, 'htpasswd');
  const [key, keyBase64] = await read(names.simpleTls, 'tls.key');
  const [readKey, readKeyBase64] = await read(names.readKey(registry), 'key');
  const [writeKey, writeKeyBase64] = await read(names.writeKey(registry), 'key');
  return new Map([
    ['the password', password],
    // As it is in that of a longer text, too: its last characters depend on what follows.
    ['the base64 of the password', Buffer.from(password).toString('base64').slice(0, -4)],
    ['the base64 of the login', auth],
    ['the docker config', configBase64],
    ['the htpasswd hash', htpasswd.trim().split(':')[1] ?? ''],
    ['the htpasswd file', htpasswdBase64],
    ['the TLS key', key.split('\n')[1] ?? ''],
    ['the base64 of the TLS key', keyBase64],
    ['the key to read', readKey],
    ['the base64 of the key to read', readKeyBase64],
    ['the key to write', writeKey],
    ['the base64 of the key to write', writeKeyBase64],
  ]);
}

/** Which of them a text gives away. */
export function givenAwayBy(text: string, confidences: Confidences): string[] {
  return [...confidences].filter(([, secret]) => text.includes(secret)).map(([name]) => name);
}
