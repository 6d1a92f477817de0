import { readFile } from 'node:fs/promises';

import { InputError } from '@reposure/core';
import type { Log } from '@reposure/core';
import { loginFiles } from '@reposure/core/registry';
import type { CredentialSource } from '@reposure/core/registry';
import type { RemoteAccess } from '@reposure/core/transfer';

import { ownAccess } from '../own-access.ts';
import type { OwnAccessFlags } from '../own-access.ts';

/** What a person says of a registry outside the cluster. */
export interface RemoteFlags {
  readonly insecure?: boolean | undefined;
  /** A file with certificates, PEM. */
  readonly ca?: string | undefined;
  readonly own?: OwnAccessFlags;
}

/**
 * How this machine reaches registries outside the cluster: with the logins of `docker login` and
 * `podman login`, and through the proxies of the environment.
 *
 * @throws {InputError} if the file with the certificates cannot be read.
 */
export async function remoteAccess(flags: RemoteFlags, log: Log): Promise<RemoteAccess> {
  const { env } = process;
  const own = await ownAccess(flags.own ?? {});
  const ca = flags.ca === undefined ? own.ca : await readCa(flags.ca);
  return {
    ...(ca === undefined ? {} : { ca }),
    insecure: flags.insecure ?? false,
    credentials: eitherLogin(
      own.credentials,
      loginFiles({
        REGISTRY_AUTH_FILE: env['REGISTRY_AUTH_FILE'],
        DOCKER_CONFIG: env['DOCKER_CONFIG'],
        XDG_RUNTIME_DIR: env['XDG_RUNTIME_DIR'],
        HOME: env['HOME'],
      }),
    ),
    proxies: {
      http: env['http_proxy'] || env['HTTP_PROXY'],
      https: env['https_proxy'] || env['HTTPS_PROXY'],
      noProxy: env['no_proxy'] || env['NO_PROXY'],
    },
    log,
  };
}

function eitherLogin(own: CredentialSource | undefined, files: CredentialSource): CredentialSource {
  if (!own) return files;
  return async (...asked) => (await own(...asked)) ?? (await files(...asked));
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new InputError(`Cannot read the certificates in ${file}; want a PEM file`, { cause });
  }
}
