import { loginFilePaths, loginFiles, proxiesIn } from '@reposure/core/registry';
import type { RemoteAccess } from '@reposure/core/transfer';

import { secretsOfDockerConfigs } from './credential-files.ts';
import type { Step } from './step.ts';

/**
 * How this runner reaches registries outside the cluster: with the logins of docker/login-action and
 * the like, which are masked first, and through the proxies of the environment.
 */
export async function remoteAccess({ env, log, mask }: Step): Promise<RemoteAccess> {
  for (const secret of await secretsOfDockerConfigs(loginFilePaths(env))) mask(secret);
  return {
    insecure: false,
    credentials: loginFiles(env),
    proxies: proxiesIn(env),
    log,
  };
}
