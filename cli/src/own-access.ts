import { existsSync } from 'node:fs';

import { certificatesIn, loginFolders } from '@reposure/core/registry';
import type { CredentialSource } from '@reposure/core/registry';

/** Folders that a person, or a pipeline, hands over. Empty names are none: a workspace that is not bound. */
export interface OwnAccessFlags {
  readonly dockerConfig?: readonly string[] | undefined;
  readonly caDirectory?: string | undefined;
}

/**
 * What the caller trusts and logs in with, besides what the Registry names.
 *
 * @throws {InputError} if there are no certificates in the folder for them.
 */
export async function ownAccess({ dockerConfig = [], caDirectory }: OwnAccessFlags): Promise<{
  readonly ca?: string;
  readonly credentials?: CredentialSource;
}> {
  // A pipeline names the place of credentials whether there are any or not.
  const folders = dockerConfig.filter((folder) => folder !== '' && existsSync(folder));
  return {
    ...(caDirectory ? { ca: await certificatesIn(caDirectory) } : {}),
    ...(folders.length > 0 ? { credentials: loginFolders(folders) } : {}),
  };
}
