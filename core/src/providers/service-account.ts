import type { ApiObject, KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import { names, serviceCaKey } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { CredentialsError } from './credentials-error.ts';

/** A login with a token of the surrogate's own ServiceAccount, which the kubelet mounts and renews. */
export interface AccountLogin {
  readonly account: string;
}

/** Trust in what OpenShift's service-CA operator writes into a ConfigMap of ours. */
export interface ServiceCaTrust {
  readonly configMap: string;
  readonly key: string;
}

interface ConfigMap extends KubernetesObject {
  data?: Readonly<Record<string, string>>;
}

interface AccessReview extends ApiObject {
  spec: object;
  status?: { allowed?: boolean };
}

/** The account of a Registry's surrogate. */
export function accountLoginOf({ metadata }: Registry): AccountLogin {
  return { account: names.surrogate(metadata.name) };
}

/** The service CA, as a Registry's surrogate finds it. */
export function serviceCaTrustOf({ metadata }: Registry): ServiceCaTrust {
  return { configMap: names.serviceCa(metadata.name), key: serviceCaKey };
}

/**
 * What is still missing for a surrogate on OpenShift.
 *
 * Nothing here decides whether it is trusted: without the CA, the kubelet does not start the Pod.
 */
export async function missingOnOpenShift(
  registry: Registry,
  kubernetes: KubernetesClient,
  uses: { readonly serviceCa: boolean; readonly account: boolean },
): Promise<CredentialsError | undefined> {
  const { name, namespace } = registry.metadata;
  if (uses.serviceCa && !(await hasServiceCa(registry, kubernetes))) {
    return new CredentialsError(
      'ServiceCaMissing',
      `Cannot trust OpenShift's registry yet: its service-CA operator has not filled the ConfigMap ${namespace}/${names.serviceCa(name)}; if that lasts longer than a minute, see: oc get clusteroperator service-ca`,
    );
  }
  if (!uses.account || (await mayPush(registry, kubernetes))) return undefined;
  const account = names.surrogate(name);
  return new CredentialsError(
    'AccountMayNotPush',
    `Cannot push with the ServiceAccount ${namespace}/${account}: it may not update image streams; let it: oc policy add-role-to-user system:image-builder -z ${account} -n ${namespace}`,
  );
}

async function hasServiceCa(registry: Registry, kubernetes: KubernetesClient): Promise<boolean> {
  const { name, namespace } = registry.metadata;
  const type = resourceTypes.ConfigMap;
  const found = await kubernetes.find<ConfigMap>(type, names.serviceCa(name), namespace);
  return (found?.data?.[serviceCaKey] ?? '').includes('-----BEGIN CERTIFICATE-----');
}

/** The question that the registry itself asks at each push. */
async function mayPush(registry: Registry, kubernetes: KubernetesClient): Promise<boolean> {
  const { name, namespace } = registry.metadata;
  const { status } = await kubernetes.create<AccessReview>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'LocalSubjectAccessReview',
    metadata: { name: '', namespace },
    spec: {
      user: `system:serviceaccount:${namespace}:${names.surrogate(name)}`,
      groups: [
        'system:serviceaccounts',
        `system:serviceaccounts:${namespace}`,
        'system:authenticated',
      ],
      resourceAttributes: {
        namespace,
        verb: 'update',
        group: 'image.openshift.io',
        resource: 'imagestreams',
        subresource: 'layers',
      },
    },
  });
  return status?.allowed === true;
}
