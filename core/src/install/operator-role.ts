import { names, registryResource } from '../resource/index.ts';

/** One rule of a Role. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * What the controller uses in its namespace, and nothing more.
 *
 * Secrets are read one by one, as Registries name them: no list, no watch. What is applied wants
 * `create` and `patch`.
 */
export const operatorRules: readonly PolicyRule[] = [
  rule(registryResource.group, ['registries'], ['get', 'list', 'watch']),
  rule(registryResource.group, ['registries/status'], ['patch']),
  rule('apps', ['statefulsets'], ['get', 'list', 'watch', 'create', 'patch']),
  rule('', ['configmaps', 'serviceaccounts'], ['create', 'patch']),
  // Whether OpenShift has filled the one with its CA.
  rule('', ['configmaps'], ['get']),
  // Whether a surrogate's account may push on OpenShift: nothing is granted by asking.
  rule('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
  rule('', ['services'], ['get', 'create', 'patch']),
  // `create` without `patch` or `delete`: it makes the keys of the proxy route, and changes no Secret.
  rule('', ['secrets'], ['get', 'create']),
  rule('', ['pods'], ['get', 'list', 'watch']),
  rule('', ['events'], ['create']),
  // A name cannot narrow `create`: the API does not know it yet.
  rule('coordination.k8s.io', ['leases'], ['create']),
  {
    ...rule('coordination.k8s.io', ['leases'], ['get', 'update']),
    resourceNames: [names.operator],
  },
];

function rule(
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
): PolicyRule {
  return { apiGroups: [apiGroup], resources, verbs };
}
