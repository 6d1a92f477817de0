import { readFileSync } from 'node:fs';

import { InputError } from '@reposure/core';

import type { StartRegistryOptions } from './server.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads what Distribution's image is configured with, as far as the embedded registry knows it.
 *
 * @throws {InputError} if a value is not usable, or asks for what the embedded registry has not.
 * @see https://distribution.github.io/distribution/about/configuration/
 */
export function registryFromEnvironment(env: Environment): StartRegistryOptions {
  return {
    ...addressOf(env['REGISTRY_HTTP_ADDR'] || ':5000'),
    directory: env['REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY'] || '/var/lib/registry',
    tls: tlsOf(env['REGISTRY_HTTP_TLS_CERTIFICATE'], env['REGISTRY_HTTP_TLS_KEY']),
    ...loginOf(env),
    deletes: isTrue('REGISTRY_STORAGE_DELETE_ENABLED', env),
    readOnly: isReadOnly(env['REGISTRY_STORAGE_MAINTENANCE_READONLY'] || '{"enabled":false}'),
  };
}

function addressOf(text: string): Pick<StartRegistryOptions, 'host' | 'port'> {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([^:]*)):(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InputError(`Cannot use REGISTRY_HTTP_ADDR: "${text}"; want e.g. :5000`);
  }
  return { host: bracketed ?? plain ?? '', port: Number(port) };
}

function tlsOf(cert: string | undefined, key: string | undefined): StartRegistryOptions['tls'] {
  if (!cert && !key) return undefined;
  if (!cert || !key) {
    throw new InputError(
      'Cannot use TLS: want both REGISTRY_HTTP_TLS_CERTIFICATE and REGISTRY_HTTP_TLS_KEY',
    );
  }
  try {
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch (cause) {
    throw new InputError(`Cannot use TLS: ${cert} and ${key} cannot both be read`, { cause });
  }
}

function loginOf(env: Environment): Pick<StartRegistryOptions, 'htpasswdFile' | 'realm'> {
  const htpasswdFile = env['REGISTRY_AUTH_HTPASSWD_PATH'];
  const kind = env['REGISTRY_AUTH'] || (htpasswdFile ? 'htpasswd' : 'none');
  if (kind === 'none') return {};
  // Never open where somebody wanted a login.
  if (kind !== 'htpasswd') {
    throw new InputError(`Cannot use REGISTRY_AUTH: "${kind}"; want htpasswd or none`);
  }
  if (!htpasswdFile) {
    throw new InputError('Cannot use REGISTRY_AUTH: want REGISTRY_AUTH_HTPASSWD_PATH with it');
  }
  return { htpasswdFile, realm: env['REGISTRY_AUTH_HTPASSWD_REALM'] };
}

/** `{"enabled": true}`: as Distribution wants it, which takes no `…_READONLY_ENABLED`. */
function isReadOnly(text: string): boolean {
  const [, enabled] = /^\s*\{\s*"?enabled"?\s*:\s*(true|false)\s*\}\s*$/.exec(text) ?? [];
  if (enabled === undefined) {
    throw new InputError(
      `Cannot use REGISTRY_STORAGE_MAINTENANCE_READONLY: "${text}"; want {"enabled":true}`,
    );
  }
  return enabled === 'true';
}

function isTrue(name: string, env: Environment): boolean {
  const text = env[name] || 'false';
  if (text !== 'true' && text !== 'false') {
    throw new InputError(`Cannot use ${name}: "${text}"; want true or false`);
  }
  return text === 'true';
}
