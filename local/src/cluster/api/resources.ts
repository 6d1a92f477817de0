import { resourceOf } from './object.ts';

/** A resource type that the API serves. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** Of reviews only: they are answered, not stored. */
  readonly createOnly: boolean;
}

/** `v1`, `apps/v1` */
export function groupVersionOf(type: Pick<ApiResource, 'group' | 'version'>): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** The store's name of a resource type: `pods`, `deployments.apps`. */
export function storedAs(type: ApiResource): string {
  return resourceOf(type.plural, type.group);
}

type Line = readonly [
  groupVersion: string,
  kind: string,
  plural: string,
  options?: {
    readonly scope?: 'cluster';
    readonly short?: string;
    readonly all?: true;
    readonly sub?: string;
    readonly createOnly?: true;
  },
];

const rbac = 'rbac.authorization.k8s.io/v1';
const reviews = { createOnly: true } as const;

const lines: readonly Line[] = [
  ['v1', 'Namespace', 'namespaces', { scope: 'cluster', short: 'ns', sub: 'status' }],
  ['v1', 'Node', 'nodes', { scope: 'cluster', short: 'no', sub: 'status' }],
  ['v1', 'Pod', 'pods', { short: 'po', all: true, sub: 'status log exec proxy' }],
  ['v1', 'Secret', 'secrets'],
  ['v1', 'ConfigMap', 'configmaps', { short: 'cm' }],
  ['v1', 'Service', 'services', { short: 'svc', all: true, sub: 'status proxy' }],
  ['v1', 'Endpoints', 'endpoints', { short: 'ep' }],
  ['v1', 'ServiceAccount', 'serviceaccounts', { short: 'sa', sub: 'token' }],
  ['v1', 'Event', 'events', { short: 'ev' }],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { short: 'pvc', sub: 'status' }],
  ['apps/v1', 'Deployment', 'deployments', { short: 'deploy', all: true, sub: 'status scale' }],
  ['apps/v1', 'StatefulSet', 'statefulsets', { short: 'sts', all: true, sub: 'status scale' }],
  ['apps/v1', 'ReplicaSet', 'replicasets', { short: 'rs', all: true, sub: 'status scale' }],
  // Kept and shown, as on a cluster that has no controller for them.
  ['policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { short: 'pdb', sub: 'status' }],
  ['networking.k8s.io/v1', 'Ingress', 'ingresses', { short: 'ing', sub: 'status' }],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', { short: 'netpol' }],
  ['storage.k8s.io/v1', 'StorageClass', 'storageclasses', { scope: 'cluster', short: 'sc' }],
  ['discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'],
  ['coordination.k8s.io/v1', 'Lease', 'leases'],
  [rbac, 'Role', 'roles'],
  [rbac, 'RoleBinding', 'rolebindings'],
  [rbac, 'ClusterRole', 'clusterroles', { scope: 'cluster' }],
  [rbac, 'ClusterRoleBinding', 'clusterrolebindings', { scope: 'cluster' }],
  [
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    { scope: 'cluster', short: 'crd crds', sub: 'status' },
  ],
  ['apiregistration.k8s.io/v1', 'APIService', 'apiservices', { scope: 'cluster' }],
  ['authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', { scope: 'cluster', ...reviews }],
  [
    'authentication.k8s.io/v1',
    'SelfSubjectReview',
    'selfsubjectreviews',
    { scope: 'cluster', ...reviews },
  ],
  ['authorization.k8s.io/v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', reviews],
  ...(['SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SubjectAccessReview'] as const).map(
    (kind): Line => [
      'authorization.k8s.io/v1',
      kind,
      `${kind.toLowerCase()}s`,
      { scope: 'cluster', ...reviews },
    ],
  ),
];

function resourceFrom([groupVersion, kind, plural, options = {}]: Line): ApiResource {
  const [version = 'v1', group = ''] = groupVersion.split('/').toReversed();
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: options.scope !== 'cluster',
    shortNames: words(options.short),
    categories: options.all ? ['all'] : [],
    subresources: words(options.sub),
    createOnly: options.createOnly ?? false,
  };
}

function words(text = ''): string[] {
  return text.split(' ').filter(Boolean);
}

/** The resource types that the API serves: the built-in ones, and those of CRDs. */
export class ResourceTable {
  readonly #builtIn = lines.map(resourceFrom);
  readonly #custom = new Map<string, readonly ApiResource[]>();

  /** Every type, built-in ones first. */
  all(): readonly ApiResource[] {
    return [...this.#builtIn, ...[...this.#custom.values()].flat()];
  }

  /** One type by its place in the path. */
  find(group: string, version: string, plural: string): ApiResource | undefined {
    return this.all().find(
      (type) => type.group === group && type.version === version && type.plural === plural,
    );
  }

  /** Whether a type comes from the table here and not from a CRD. */
  isBuiltIn(type: ApiResource): boolean {
    return this.#builtIn.includes(type);
  }

  /** Serves (or, with no types, stops serving) what a CRD defines. */
  define(crd: string, types: readonly ApiResource[]): void {
    if (types.length === 0) this.#custom.delete(crd);
    else this.#custom.set(crd, types);
  }
}
