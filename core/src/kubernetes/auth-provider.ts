import type { Access } from './access.ts';
import { clientLibrary } from './client-library.ts';
import { KubeconfigError } from './kubeconfig-error.ts';

/**
 * The Authorization header of a user with a legacy `auth-provider` (oidc, gcp, azure).
 *
 * The client library is loaded only for them: it costs 0.8 s.
 *
 * @throws {KubeconfigError} if the provider is unknown or does not deliver.
 */
export async function authProviderAuthorization(access: Access): Promise<string> {
  const { user, userName, clusterName, contextName, server, cluster } = access;
  const provider = user['auth-provider'];
  const failed = (state: string, cause?: unknown): KubeconfigError =>
    new KubeconfigError(
      `Cannot log in to the cluster at ${server}: the auth-provider "${provider?.name}" of user "${userName}" in ${access.source} ${state}; ` +
        'want another login, e.g. an exec plugin: kubectl itself has dropped most auth-providers',
      { cause },
    );
  const { KubeConfig } = await clientLibrary('auth-providers');
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: clusterName, server, skipTLSVerify: cluster['insecure-skip-tls-verify'] }],
    users: [
      {
        name: userName,
        authProvider: { name: provider?.name, config: { ...provider?.config } },
      },
    ],
    contexts: [{ name: contextName, cluster: clusterName, user: userName }],
    currentContext: contextName,
  });
  const options: { headers?: Record<string, string> } = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw failed('failed', error);
  }
  const authorization = options.headers?.['Authorization'];
  if (!authorization) throw failed('is not known, or gave no token');
  return authorization;
}
