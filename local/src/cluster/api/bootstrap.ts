import type { PolicyRule } from './rbac.ts';
import type { Store } from './store.ts';

const rbac = 'rbac.authorization.k8s.io';
const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const workloads = [
  'deployments',
  'deployments/scale',
  'replicasets',
  'statefulsets',
  'statefulsets/scale',
];
const ordinary = [
  'configmaps',
  'endpoints',
  'events',
  'persistentvolumeclaims',
  'pods',
  'serviceaccounts',
  'services',
];

const viewRules: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [...ordinary, 'namespaces', 'pods/log', 'pods/status', 'services/status'],
    verbs: read,
  },
  { apiGroups: ['apps'], resources: workloads, verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
];

const editRules: readonly PolicyRule[] = [
  ...viewRules,
  {
    apiGroups: [''],
    resources: ['secrets', 'pods/exec', 'pods/proxy', 'services/proxy'],
    verbs: read,
  },
  {
    apiGroups: [''],
    resources: [...ordinary, 'secrets', 'pods/exec', 'pods/proxy', 'services/proxy'],
    verbs: write,
  },
  { apiGroups: ['apps'], resources: workloads, verbs: write },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, ...write] },
];

const adminRules: readonly PolicyRule[] = [
  ...editRules,
  { apiGroups: [rbac], resources: ['roles', 'rolebindings'], verbs: [...read, ...write] },
  {
    apiGroups: ['authorization.k8s.io'],
    resources: ['localsubjectaccessreviews'],
    verbs: ['create'],
  },
];

const clusterRoles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ],
  admin: adminRules,
  edit: editRules,
  view: viewRules,
};

/** Stores what a cluster has from its first second on: namespaces and the roles of users. */
export function bootstrap(store: Store): void {
  for (const name of ['default', 'kube-system', 'kube-public']) {
    if (store.peek('namespaces', undefined, name)) continue;
    store.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const [name, rules] of Object.entries(clusterRoles)) {
    if (store.peek(`clusterroles.${rbac}`, undefined, name)) continue;
    store.create(`clusterroles.${rbac}`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
      rules,
    });
  }
}
