import * as z from 'zod';

import { registryLabel } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { CredentialsError, describeSecret, textOf } from './credentials-error.ts';
import type { CredentialsReason, Secret } from './credentials-error.ts';
import type { Resolved } from './provider.ts';

/** Which keys of which Secret hold the login. */
export interface Login {
  readonly secret: string;
  /** Nothing else of the Secret is mounted. */
  readonly keys: readonly string[];
}

const DockerConfig = z.object({ auths: z.record(z.string(), z.unknown()) });
const dockerConfigKeys = ['.dockerconfigjson', 'config.json'];

/**
 * Finds the login in a Secret, if it is one for this registry.
 *
 * Whoever may create a Registry must not be able to send somebody else's Secret to a host of their
 * choice: so the Secret itself names the host, or is labelled for the Registry.
 *
 * @throws {CredentialsError} if it is not, or if it would travel in the clear.
 */
export function loginOf(secret: Secret, registry: Registry, resolved: Resolved): Login {
  const refuse: Refuse = (reason, state) => {
    throw new CredentialsError(
      reason,
      `Cannot log in to ${resolved.pushHost} with ${describeSecret(secret)}: ${state}`,
    );
  };
  const keys = keysOf(secret, registry, resolved.pushHost, refuse);
  if (resolved.insecure && registry.spec.insecure !== true) {
    refuse(
      'LoginOverPlainHttp',
      'the registry speaks plain HTTP; set up TLS, or write insecure: true into the spec if everybody on the network may know the login',
    );
  }
  return { secret: secret.metadata.name, keys };
}

/** Whether an entry of `auths` is about this host: with or without scheme and path. */
function isEntryFor(entry: string, host: string): boolean {
  const [named = ''] = entry.replace(/^https?:\/\//, '').split('/');
  return named.toLowerCase() === host.toLowerCase();
}

type Refuse = (reason: CredentialsReason, state: string) => never;

function keysOf(secret: Secret, registry: Registry, host: string, refuse: Refuse): string[] {
  const dockerConfigKey = dockerConfigKeys.find((key) => secret.data?.[key] !== undefined);
  if (dockerConfigKey !== undefined) {
    requireHost(entriesOf(secret, dockerConfigKey, refuse), host, refuse);
    return [dockerConfigKey];
  }
  const { name, namespace } = registry.metadata;
  if (secret.metadata.labels?.[registryLabel] !== name) {
    refuse(
      'LoginNotForRegistry',
      `it names no host and is not labelled for this Registry; want a kubernetes.io/dockerconfigjson Secret, or: kubectl label secret -n ${namespace} ${secret.metadata.name} ${registryLabel}=${name}`,
    );
  }
  if (secret.data?.['username'] !== undefined && secret.data['password'] !== undefined) {
    return ['username', 'password'];
  }
  if (secret.data?.['token'] !== undefined) return ['token'];
  return refuse(
    'LoginSecretInvalid',
    'it holds no login; want .dockerconfigjson, username and password, or token',
  );
}

function entriesOf(secret: Secret, key: string, refuse: Refuse): string[] {
  try {
    return Object.keys(DockerConfig.parse(JSON.parse(textOf(secret, key) ?? '')).auths);
  } catch {
    // Without the cause: a parser quotes what it reads.
    return refuse('LoginSecretInvalid', `its key ${key} is no docker config with "auths"`);
  }
}

function requireHost(entries: readonly string[], host: string, refuse: Refuse): void {
  if (entries.some((entry) => isEntryFor(entry, host))) return;
  refuse('LoginNotForHost', `it names ${entries.join(', ') || 'no host'}; want ${host}`);
}
