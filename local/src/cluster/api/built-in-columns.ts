import { ageColumn, at, column, nameColumn } from './columns.ts';
import type { Column } from './columns.ts';
import { ageOf } from './duration.ts';
import type { Fields, StoredObject } from './object.ts';
import { fieldsOf, listOf, textOf } from './object.ts';
import { podColumns } from './pod-columns.ts';

function sizeOf(field: string): (object: StoredObject) => number {
  return (object) => Object.keys(fieldsOf(object[field])).length;
}

function numberAt(object: StoredObject, part: 'spec' | 'status', field: string): number {
  const value = fieldsOf(object[part])[field];
  return typeof value === 'number' ? value : 0;
}

function count(part: 'spec' | 'status', field: string): (object: StoredObject) => number {
  return (object) => numberAt(object, part, field);
}

const ready = column(
  'Ready',
  (object) =>
    `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`,
);

function labelsAt(field: string): (object: StoredObject) => string {
  return (object) => {
    const selector = fieldsOf(fieldsOf(object['spec'])[field]);
    const labels = fieldsOf(selector['matchLabels'] ?? selector);
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${textOf(value)}`);
    return pairs.join(',') || '<none>';
  };
}

const containers = column('Containers', at('.spec.template.spec.containers[*].name'), 1);
const images = column('Images', at('.spec.template.spec.containers[*].image'), 1);
const selector = column('Selector', labelsAt('selector'), 1);

function servicePorts(object: StoredObject): string {
  const ports = listOf(fieldsOf(object['spec'])['ports']) as {
    port: number;
    nodePort?: number;
    protocol?: string;
  }[];
  const said = ports.map(
    ({ port, nodePort, protocol = 'TCP' }) =>
      `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`,
  );
  return said.join(',') || '<none>';
}

function nodeStatus(object: StoredObject): string {
  return at('.status.conditions[?(@.type=="Ready")].status')(object) === 'True'
    ? 'Ready'
    : 'NotReady';
}

function nodeRoles({ metadata }: StoredObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const labels = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return labels.map((label) => label.slice(prefix.length)).join(',') || '<none>';
}

function involved(object: StoredObject): string {
  const { kind, name } = fieldsOf(object['involvedObject'] ?? object['regarding']);
  return `${textOf(kind).toLowerCase()}/${textOf(name)}`;
}

function namespaceStatus({ metadata, status }: StoredObject): string {
  return metadata.deletionTimestamp ? 'Terminating' : textOf(fieldsOf(status)['phase'], 'Active');
}

function roleOf(object: StoredObject): string {
  const { kind, name } = fieldsOf(object['roleRef']);
  return `${textOf(kind)}/${textOf(name)}`;
}

function endpointsOf(object: StoredObject): string {
  const found = listOf(object['subsets']).map(fieldsOf).flatMap(addressesOf);
  return found.join(',') || '<none>';
}

function addressesOf(subset: Fields): string[] {
  const ports = listOf(subset['ports']) as { port: number }[];
  const addresses = listOf(subset['addresses']) as { ip: string }[];
  return addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`));
}

const role = [nameColumn, column('Created At', ({ metadata }) => metadata.creationTimestamp)];
const binding = [nameColumn, column('Role', roleOf), ageColumn];

/** The columns of built-in types, by the store's names; what is not here has a name and an age. */
export const builtInColumns: Readonly<Record<string, readonly Column[]>> = {
  pods: podColumns,
  'deployments.apps': [
    nameColumn,
    ready,
    column('Up-to-date', count('status', 'updatedReplicas')),
    column('Available', count('status', 'availableReplicas')),
    ageColumn,
    containers,
    images,
    selector,
  ],
  'statefulsets.apps': [nameColumn, ready, ageColumn, containers, images],
  'replicasets.apps': [
    nameColumn,
    column('Desired', count('spec', 'replicas')),
    column('Current', count('status', 'replicas')),
    column('Ready', count('status', 'readyReplicas')),
    ageColumn,
    containers,
    images,
    selector,
  ],
  services: [
    nameColumn,
    column('Type', at('.spec.type')),
    column('Cluster-IP', at('.spec.clusterIP')),
    column('External-IP', at('.status.loadBalancer.ingress[*].ip')),
    column('Port(s)', servicePorts),
    ageColumn,
    selector,
  ],
  secrets: [nameColumn, column('Type', at('.type')), column('Data', sizeOf('data')), ageColumn],
  configmaps: [nameColumn, column('Data', sizeOf('data')), ageColumn],
  serviceaccounts: [
    nameColumn,
    column('Secrets', (object) => listOf(object['secrets']).length),
    ageColumn,
  ],
  namespaces: [nameColumn, column('Status', namespaceStatus), ageColumn],
  nodes: [
    nameColumn,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    ageColumn,
    column('Version', at('.status.nodeInfo.kubeletVersion')),
    column('Internal-IP', at('.status.addresses[?(@.type=="InternalIP")].address'), 1),
  ],
  events: [
    column('Last Seen', (object) =>
      ageOf(object['lastTimestamp'] ?? object['eventTime'] ?? object.metadata.creationTimestamp),
    ),
    column('Type', at('.type')),
    column('Reason', at('.reason')),
    column('Object', involved),
    column('Message', at('.message')),
    { ...nameColumn, priority: 1 },
  ],
  endpoints: [nameColumn, column('Endpoints', endpointsOf), ageColumn],
  persistentvolumeclaims: [
    nameColumn,
    column('Status', at('.status.phase')),
    column('Volume', at('.spec.volumeName', '')),
    column('Capacity', at('.status.capacity.storage', '')),
    column('Access Modes', at('.spec.accessModes[*]', '')),
    column('StorageClass', at('.spec.storageClassName', '')),
    ageColumn,
  ],
  'leases.coordination.k8s.io': [
    nameColumn,
    column('Holder', at('.spec.holderIdentity', '')),
    ageColumn,
  ],
  'roles.rbac.authorization.k8s.io': role,
  'clusterroles.rbac.authorization.k8s.io': role,
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'customresourcedefinitions.apiextensions.k8s.io': role,
};
