import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import type { RegistrySpec } from '../resource/index.ts';

interface Deployment extends KubernetesObject {
  spec?: {
    template?: { spec?: { volumes?: readonly { secret?: { secretName?: string } }[] } };
  };
}

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
  const deployment = await kubernetes.find<Deployment>(
    resourceTypes.Deployment,
    names.simple,
    namespace,
  );
  const volumes = deployment?.spec?.template?.spec?.volumes ?? [];
  const mounted = new Set(volumes.map((volume) => volume.secret?.secretName));
  return {
    ...(mounted.has(names.simpleTls) ? { tlsSecret: names.simpleTls } : {}),
    ...(mounted.has(names.simpleHtpasswd) ? { loginSecret: names.simpleLogin } : {}),
  };
}
