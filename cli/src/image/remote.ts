import { readFile } from 'node:fs/promises';

import { InputError } from '@reposure/core';
import type { Log } from '@reposure/core';
import { loginFiles, proxiesIn } from '@reposure/core/registry';
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
    credentials: eitherLogin(own.credentials, loginFiles(env)),
    proxies: proxiesIn(env),
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
