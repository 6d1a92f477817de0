import { readFile } from 'node:fs/promises';

import { InputError } from '../errors.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/client.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import type { CredentialSource } from '../registry/index.ts';
import { names, openShiftRegistryHost, serviceCaKey } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';

/** Where the kubelet mounts the token of a Pod's ServiceAccount, and renews it. */
const mountedToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

interface ConfigMap extends KubernetesObject {
  data?: Readonly<Record<string, string>>;
}

/** Which Registry, and who reads what belongs to it. */
export interface ServiceCaOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The CA of OpenShift's services, from the ConfigMap of the Registry's surrogate.
 *
 * @returns PEM.
 * @throws {InputError} if OpenShift has not filled it.
 */
export async function serviceCaOf(options: ServiceCaOptions): Promise<string> {
  const { kubernetes, registry, signal } = options;
  const { name, namespace } = registry.metadata;
  const type = resourceTypes.ConfigMap;
  const found = await kubernetes.get<ConfigMap>(type, names.serviceCa(name), namespace, signal);
  const text = found.data?.[serviceCaKey] ?? '';
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new InputError(
    `Cannot trust ${openShiftRegistryHost}: OpenShift has not filled the ConfigMap ${namespace}/${names.serviceCa(name)}; see: oc get clusteroperator service-ca`,
  );
}

/**
 * The token of the ServiceAccount that this process runs as, where it runs in a Pod.
 *
 * Only for OpenShift's own registry: a status that was tampered with sends it nowhere else.
 */
export function ownToken(file = mountedToken): CredentialSource {
  return async (host) => {
    if (host !== openShiftRegistryHost) return undefined;
    const token = await readFile(file, 'utf8').catch(() => undefined);
    return token?.trim() ? { kind: 'bearer', token: token.trim() } : undefined;
  };
}
