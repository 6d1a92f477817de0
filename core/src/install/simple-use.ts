import type { KubernetesClient } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import type { RegistrySpec } from '../resource/index.ts';
import { findSimple, mountedSecret } from './simple-deployment.ts';

/**
 * Which of its Secrets the simple registry of a namespace uses.
 *
 * Read from what runs, not from which Secrets are there: one may be left from an earlier install,
 * and a Registry that refers to a certificate that nobody serves never becomes ready.
 */
export async function simpleSecretsInUse(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<Pick<RegistrySpec, 'tlsSecret' | 'loginSecret'>> {
  const deployment = await findSimple(kubernetes, namespace);
  if (deployment === undefined) return {};
  const tlsSecret = mountedSecret(deployment, 'tls');
  const asksForLogin = mountedSecret(deployment, 'htpasswd') !== undefined;
  return {
    ...(tlsSecret === undefined ? {} : { tlsSecret }),
    ...(asksForLogin ? { loginSecret: names.simpleLogin } : {}),
  };
}
