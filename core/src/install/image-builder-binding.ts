import { KubernetesError } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { labelsOf } from './labels.ts';

const group = 'rbac.authorization.k8s.io';

/**
 * Lets the surrogate of a Registry push on OpenShift, with the rights of whoever creates it: the
 * operator has none to give. Where they have none either, it says what somebody else is to run.
 */
export async function bindImageBuilder(
  kubernetes: KubernetesClient,
  registry: Registry,
  log: Log,
): Promise<void> {
  const { name, namespace } = registry.metadata;
  try {
    await kubernetes.apply(imageBuilderBinding(registry));
    log.info(`RoleBinding ${namespace}/${names.imageBuilder(name)}: its surrogate may push`);
  } catch (error) {
    if (!(error instanceof KubernetesError) || !error.isForbidden) throw error;
    const account = names.surrogate(name);
    log.warn(
      `you may not let the surrogate push; have an administrator run: oc policy add-role-to-user system:image-builder -z ${account} -n ${namespace}`,
    );
  }
}

/** `system:image-pusher` would not do: the first push to a name makes its image stream. */
function imageBuilderBinding({ apiVersion, kind, metadata }: Registry): KubernetesObject {
  const { name, namespace, uid = '' } = metadata;
  return {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: {
      name: names.imageBuilder(name),
      namespace,
      labels: labelsOf('reposure-surrogate', 'surrogate'),
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'system:image-builder' },
    subjects: [{ kind: 'ServiceAccount', name: names.surrogate(name), namespace }],
  };
}
