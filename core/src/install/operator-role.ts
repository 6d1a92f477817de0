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
  rule('', ['services'], ['get', 'create', 'patch']),
  // `create` without `patch` or `delete`: it makes the keys of the proxy route, and changes no Secret
  // but those with the simple registry's certificate and CA.
  rule('', ['secrets'], ['get', 'create']),
  named(rule('', ['secrets'], ['update']), names.simpleTls, names.simpleCa),
  // Pods of the simple registry are replaced when their certificate is.
  named(rule('apps', ['deployments'], ['get', 'update']), names.simple),
  named(rule('batch', ['jobs'], ['get']), names.simpleGc),
  rule('', ['pods'], ['get', 'list', 'watch']),
  rule('', ['events'], ['create']),
  // A name cannot narrow `create`: the API does not know it yet.
  rule('coordination.k8s.io', ['leases'], ['create']),
  named(rule('coordination.k8s.io', ['leases'], ['get', 'update']), names.operator),
];

function rule(
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
): PolicyRule {
  return { apiGroups: [apiGroup], resources, verbs };
}

function named(given: PolicyRule, ...resourceNames: readonly string[]): PolicyRule {
  return { ...given, resourceNames };
}
