import * as z from 'zod';

import { InputError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/client.ts';
import { DockerConfig, dockerConfigCredentials } from '../registry/index.ts';
import type { CredentialSource } from '../registry/index.ts';
import { certificateBlocks } from '../registry/trust.ts';
import { registryLabel } from '../resource/registry.ts';
import type { Registry, RegistrySpec } from '../resource/registry.ts';

/** A Secret, as the API serves it: its values are base64. */
export interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * The CA certificate in a Secret.
 *
 * @returns PEM.
 * @throws {InputError} if there is none: a registry is never reached unverified instead.
 */
export function caOf(secret: Secret, spec: RegistrySpec): string {
  const asked = spec.authenticationSecretDataKey;
  const keys = asked === undefined ? ['ca.crt', 'tls.crt'] : [asked];
  const text = keys.map((key) => textOf(secret, key)).find((found) => found !== undefined);
  const certificates = certificateBlocks(text ?? '');
  if (certificates.length === 0) {
    throw new InputError(
      `Cannot read the CA certificate in ${describe(secret)}: ${text === undefined ? 'it is not there' : 'it is not PEM'}; want it under ${keys.join(' or ')}`,
    );
  }
  return `${certificates.join('\n')}\n`;
}

/**
 * The login in a Secret: for the hosts that it names itself, or labelled for this registry.
 *
 * @throws {InputError} if it is for something else.
 */
export function loginOf(secret: Secret, registry: Registry): CredentialSource {
  const config = textOf(secret, '.dockerconfigjson') ?? textOf(secret, 'config.json');
  if (config !== undefined) return dockerConfigCredentials(parseConfig(config, secret));
  const { name } = registry.metadata;
  if (secret.metadata.labels?.[registryLabel] !== name) {
    throw new InputError(
      `Cannot use the login in ${describe(secret)}: it names no host; want a dockerconfigjson Secret, or the label ${registryLabel}=${name} on this one`,
    );
  }
  const username = textOf(secret, 'username');
  const password = textOf(secret, 'password');
  if (username !== undefined && password !== undefined) {
    return async () => ({ kind: 'basic', username, password });
  }
  const token = textOf(secret, 'token')?.trim();
  if (token) return async () => ({ kind: 'bearer', token });
  throw new InputError(
    `Cannot read a login in ${describe(secret)}: want username and password, token, or .dockerconfigjson`,
  );
}

const Logins = z.looseObject({ auths: DockerConfig.shape.auths });

/** Without helpers: what a Secret says is not run on this machine. */
function parseConfig(text: string, secret: Secret): DockerConfig {
  try {
    return { auths: Logins.parse(JSON.parse(text)).auths };
  } catch {
    // Without the parser's words: they quote the Secret.
    throw new InputError(`Cannot read the login in ${describe(secret)}: want a docker config`);
  }
}

function textOf(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
}

function describe({ metadata }: Secret): string {
  return `Secret ${metadata.namespace ?? ''}/${metadata.name}`;
}
